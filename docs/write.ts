/**
 * Writes what comes from code: the pages of docs/ that PAGES and `writtenDocs` name, the types of the client and the Grafana dashboards
 * (`make docs`).
 */
import { writeFile } from 'node:fs/promises';
import { SETTINGS } from '../gateway/config/schema.ts';
import { KINDS } from '../gateway/errors.ts';
import { MAX_HEADERS } from '../gateway/http/heads.ts';
import { alertsPage } from './alerts.ts';
import { clientTypes } from './client-types.ts';
import { commandLinePage } from './command-line.ts';
import { writtenDashboards } from './dashboards/dashboards.ts';
import { limitsPage } from './limits.ts';
import { logPage } from './log.ts';
import { metricsPage } from './metrics.ts';
import { modelYamlFieldsPage } from './model-yaml-fields.ts';
import { table } from './table.ts';

/** Pages and what writes them. */
const PAGES: Readonly<Record<string, () => string>> = {
  alerts: alertsPage,
  'command-line': commandLinePage,
  errors: errorsPage,
  limits: limitsPage,
  log: logPage,
  'model-yaml-fields': modelYamlFieldsPage,
  settings: settingsPage,
};

const METRICS = new URL('./metrics.md', import.meta.url);
const CLIENT_TYPES = new URL('../client/schema.ts', import.meta.url);

function settingsPage(): string {
  const code = (text: string) => (text ? `\`${text}\`` : '');
  const rows = SETTINGS.map(({ env, fallback, help }) => [code(env), code(fallback), help]);
  return `# Settings

Each setting is an environment variable, and a flag of \`serve\` and of \`config\` that counts before it: \`REQUEST_TIMEOUT=10s\` or
\`--request-timeout 10s\`. An empty value counts as unset. A wrong one stops the start with exit code 2, and the error names all
that are wrong.

\`./tensorgate config\` prints the values in use and where each is from. \`./tensorgate serve --help\` lists the flags.

${table(['variable', 'default', 'what it is'], rows)}

Limits without a setting are in [limits.md](limits.md), the variables of the clouds' own tools in [sources.md](sources.md#buckets), and those
of OpenTelemetry in [traces.md](traces.md).
`;
}

function errorsPage(): string {
  const rows = Object.entries(KINDS).map(([kind, row]) => [
    `\`${kind}\``,
    String(row.status),
    row.grpc,
    row.title,
    'retryAfterS' in row ? `after at least ${row.retryAfterS} s` : '',
  ]);
  return `# Errors

Every failure has one of these kinds. The set is closed and stable. The body is \`application/problem+json\` (RFC 9457):
\`detail\` names the field and the fix, \`request_id\` and \`trace_id\` ([traces.md](traces.md)) are in the log line with the full reason. Over gRPC the kind has a status of
gRPC, whose message is the \`detail\`; the kind is in the metadata \`tensorgate-kind\`.

${table(['kind', 'status', 'gRPC', 'title', 'try again'], rows)}

- \`version_not_proven\` is a version that exists and may not answer: it does not fit its model.yaml, or its parity differs. A
  retry does not help, so it is 409, not 503. While its check has not ended, it is 503 with \`Retry-After: 1\`
  ([backends.md](backends.md#versions)).
- \`source_failed\` has status 422 if the origin answered with a 4xx, and \`source_status\` holds that status: the URL is
  wrong, not the network.
- \`overloaded\` has status 503 while the gateway is short of memory, for all clients. Its Retry-After is the time that the
  queue needs ([overload.md](overload.md)).
- The Retry-After of \`quota\` is the time until its window ends.
- Headers above 16 KiB, or more than ${MAX_HEADERS} of them, fail with \`invalid_request\` and status 431.
- Over gRPC, what has status 422 for that reason is INVALID_ARGUMENT, and what has status 503 is UNAVAILABLE.
- \`client_gone\` is never sent. It appears in logs and metrics only.
`;
}

/** The text of each file, generated from the code. */
export async function writtenDocs(): Promise<ReadonlyMap<URL, string>> {
  return new Map([
    ...Object.entries(PAGES).map(([name, page]) => [new URL(`./${name}.md`, import.meta.url), page()] as const),
    // Elsewhere Node has fewer metrics.
    ...(process.platform === 'linux' ? [[METRICS, metricsPage()] as const] : []),
    [CLIENT_TYPES, await clientTypes()],
    ...writtenDashboards(),
  ]);
}

if (import.meta.main) {
  for (const [file, text] of await writtenDocs()) await writeFile(file, text);
}
