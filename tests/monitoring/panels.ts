/** The panels of the committed dashboards, with queries as Grafana sends them. */
import { glob, readFile } from 'node:fs/promises';
import path from 'node:path';
import { MONITORING } from '../kubernetes/rules.ts';

type Json = {
  readonly title: string;
  readonly templating: { readonly list: readonly Variable[] };
  readonly panels: readonly {
    readonly type: string;
    readonly title: string;
    readonly targets?: readonly { readonly expr: string }[];
  }[];
};

type Variable = { readonly type: string; readonly name: string; readonly query: string };

export type Panel = { readonly title: string; readonly queries: readonly string[] };

export type Dashboard = {
  readonly file: string;
  readonly panels: readonly Panel[];
  /** The queries of its variables, as series. */
  readonly variables: readonly { readonly name: string; readonly series: string; readonly label: string }[];
};

/** What Grafana puts in: all of each variable, one feature, and a minute. */
const VALUES: Readonly<Record<string, string>> = {
  $namespace: '.*',
  $pod: '.*',
  $model: '.*',
  $version: '.*',
  $feature: 'input.contract',
  $__rate_interval: '15s',
  $__range: '1m',
};

/** All dashboards of the monitoring component. */
export async function readDashboards(): Promise<Dashboard[]> {
  const files = (await Array.fromAsync(glob('dashboards/*.json', { cwd: MONITORING }))).sort();
  return Promise.all(
    files.map(async (file) => readDashboard(file, JSON.parse(await readFile(path.join(MONITORING, file), 'utf8')))),
  );
}

function readDashboard(file: string, { panels, templating }: Json): Dashboard {
  return {
    file,
    panels: panels.flatMap(({ title, targets }) =>
      targets ? { title, queries: targets.map(({ expr }) => asSent(expr)) } : [],
    ),
    variables: templating.list.flatMap(({ name, query }) => {
      const [, series, label] = /^label_values\((.+), (\w+)\)$/.exec(query) ?? [];
      return series && label ? { name, series: asSent(series), label } : [];
    }),
  };
}

function asSent(expr: string): string {
  const sent = expr.replaceAll(/\$\w+/g, (name) => VALUES[name] ?? name);
  if (sent.includes('$')) throw new Error(`a variable has no value in ${sent}`);
  return sent;
}
