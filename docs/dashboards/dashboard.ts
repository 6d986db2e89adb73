/** Makes Grafana dashboards out of tables of panels. */
import {
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  SortOrder,
  TooltipDisplayMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatPanel } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TablePanel } from '@grafana/grafana-foundation-sdk/table';
import { PanelBuilder as LinesPanel } from '@grafana/grafana-foundation-sdk/timeseries';

/** Grafana's names of units: `s`, `µs`, seconds and microseconds; `reqps`, requests per second; `percentunit`, a share; `Bps`. */
export type Unit = 's' | 'µs' | 'reqps' | 'ops' | 'percentunit' | 'bytes' | 'Bps' | 'short' | 'none';

export type Panel = {
  /** What it shows. */
  readonly title: string;
  /** What it means, and when to act. */
  readonly description: string;
  readonly unit: Unit;
  /** PromQL by the legend of its series. */
  readonly queries: Readonly<Record<string, string>>;
  /** `lines` over time by default. `stat` and `table` show the last values. */
  readonly as?: 'lines' | 'stat' | 'table';
  /** The highest value that can be. */
  readonly max?: number;
};

export type Variable = {
  readonly name: string;
  readonly label: string;
  /** `label_values(series, label)`. */
  readonly values: string;
  /** One value alone can be chosen. By default all are shown, and series without the label too. */
  readonly single?: boolean;
};

export type Dashboard = {
  /** Of its file and its address. */
  readonly name: string;
  readonly title: string;
  readonly description: string;
  /** Besides the data source and the namespace. */
  readonly variables?: readonly Variable[];
  readonly rows: readonly { readonly title: string; readonly panels: readonly Panel[] }[];
};

const TAG = 'tensorgate';
const DATA_SOURCE = { type: 'prometheus', uid: '$datasource' };
const NAMESPACE: Variable = {
  name: 'namespace',
  label: 'Namespace',
  values: 'label_values(tensorgate_requests_in_flight, namespace)',
};

/** Grafana's grid. */
const WIDTH = 24;
const MOST_IN_LINE = 3;
const HEIGHT = 8;

/** The JSON of a dashboard, as Grafana imports it. */
export function dashboardJson({ name, title, description, variables = [], rows }: Dashboard): string {
  const builder = new DashboardBuilder(`tensorgate: ${title}`)
    .uid(`tensorgate-${name}`)
    .description(description)
    .tags([TAG])
    .time({ from: 'now-3h', to: 'now' })
    .refresh('30s')
    .tooltip(DashboardCursorSync.Crosshair)
    .link(new DashboardLinkBuilder('tensorgate').type(DashboardLinkType.Dashboards).tags([TAG]).keepTime(true))
    .withVariable(new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus'));
  for (const variable of [NAMESPACE, ...variables]) builder.withVariable(variableOf(variable));
  for (const row of rows) {
    builder.withRow(new RowBuilder(row.title));
    const span = WIDTH / Math.min(row.panels.length, MOST_IN_LINE);
    for (const panel of row.panels) builder.withPanel(fill(panel).span(span).height(HEIGHT));
  }
  return `${JSON.stringify(builder.build(), null, 2)}\n`;
}

function variableOf({ name, label, values, single = false }: Variable): QueryVariableBuilder {
  const builder = new QueryVariableBuilder(name).label(label).query(values).datasource(DATA_SOURCE);
  builder.refresh(VariableRefresh.OnTimeRangeChanged);
  if (single) return builder;
  return builder.multi(true).includeAll(true).allValue('.*').current({ text: 'All', value: '$__all' });
}

function fill({ as = 'lines', title, description, unit, max, queries }: Panel) {
  const builder = BUILDERS[as]().title(title).description(description).datasource(DATA_SOURCE).unit(unit).min(0);
  if (max !== undefined) builder.max(max);
  for (const [index, [legend, expr]] of Object.entries(queries).entries()) {
    const query = new DataqueryBuilder()
      .refId(String.fromCharCode(FIRST_ID + index))
      .expr(expr)
      .legendFormat(legend);
    if (as === 'lines') query.range().exemplar(expr.includes('histogram_quantile'));
    else query.instant();
    if (as === 'table') query.format(PromQueryFormat.Table);
    builder.withTarget(query);
  }
  return builder;
}

const FIRST_ID = 'A'.charCodeAt(0);

const BUILDERS = {
  lines: () =>
    new LinesPanel()
      .legend(
        new VizLegendOptionsBuilder()
          .showLegend(true)
          .displayMode(LegendDisplayMode.List)
          .placement(LegendPlacement.Bottom),
      )
      .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending))
      .fillOpacity(10),
  stat: () => new StatPanel().reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull'])),
  table: () => new TablePanel(),
} as const;
