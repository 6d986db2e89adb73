/** The text of docs/alerts.md: every alert of the monitoring component, as Prometheus gets it. */
import { readdirSync, readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import { table } from './table.ts';

const RULES = new URL('../kubernetes/components/monitoring/', import.meta.url);

type Alert = {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly runbook_url: string };
};
type Manifest = {
  readonly kind?: string;
  readonly spec: { readonly groups: readonly { readonly rules: readonly object[] }[] };
};

export function alertsPage(): string {
  const alerts = Map.groupBy(readAlerts(), ({ alert }) => alert);
  return `# Alerts

\`critical\`: responses are wrong or missing. \`warning\`: they may become so. Each alert links its runbook: what it means, what to check, what
to do. [Monitoring](monitoring.md) says how to turn them on and how to change their limits.

${table(['alert', 'severity', 'what it says', 'after'], [...alerts.values()].map(rowOf))}

## Expressions

What Prometheus computes. The value of an alert is the value of its expression.

${[...alerts].map(([name, rules]) => `### ${name}\n\n${rules.map(codeOf).join('\n\n')}`).join('\n\n')}
`;
}

function readAlerts(): readonly Alert[] {
  const files = readdirSync(RULES)
    .filter((file) => file.endsWith('.yaml') && !file.endsWith('.test.yaml'))
    .sort();
  return files
    .flatMap((file) => parseAllDocuments(readFileSync(new URL(file, RULES), 'utf8')))
    .map((document): Manifest => document.toJS())
    .filter(({ kind }) => kind === 'PrometheusRule')
    .flatMap(({ spec }) => spec.groups.flatMap(({ rules }) => rules))
    .filter((rule): rule is Alert => 'alert' in rule);
}

/** Alerts of one name differ in severity and time only. */
function rowOf(rules: readonly Alert[]): readonly string[] {
  const [first] = rules;
  if (first === undefined) return [];
  const { alert, annotations } = first;
  const each = (value: (rule: Alert) => string) => [...new Set(rules.map(value))].join(', ');
  const runbook = annotations.runbook_url.replace(/^docs\//, '');
  return [
    `[${alert}](${runbook})`,
    each(({ labels }) => labels.severity),
    withoutTemplates(annotations.summary),
    each(({ for: after = 'at once' }) => after),
  ];
}

/** \`{{ $labels.model }}\` → MODEL. */
const withoutTemplates = (text: string) =>
  text
    .replace(/\{\{ *\$labels\.(\w+)[^}]*\}\}/g, (_, label: string) => label.toUpperCase())
    .replace(/\{\{.*?\}\}/g, 'N');

const codeOf = ({ expr }: Alert) => `\`\`\`promql\n${expr.trim()}\n\`\`\``;
