/** Writes the tables that come from code: the README's settings, docs/errors.md and docs/limits.md. Run by `make docs`. */
import { readFile, writeFile } from 'node:fs/promises';
import { SETTINGS } from '../gateway/config.ts';
import { KINDS } from '../gateway/errors.ts';
import { limitsPage } from './limits.ts';
import { table } from './table.ts';

const README = new URL('../README.md', import.meta.url);
const ERRORS = new URL('./errors.md', import.meta.url);
const LIMITS = new URL('./limits.md', import.meta.url);

function settingsTable(): string {
  const code = (text: string) => (text ? `\`${text}\`` : '');
  return table(
    ['variable', 'default', 'what it is'],
    SETTINGS.map(({ env, fallback, help }) => [code(env), code(fallback), help]),
  );
}

function errorsPage(): string {
  const rows = Object.entries(KINDS).map(([kind, row]) => [
    `\`${kind}\``,
    String(row.status),
    row.title,
    'retryAfterS' in row ? `after ${row.retryAfterS} s or more` : '',
  ]);
  return `# Errors

Every failure has one of these kinds; the set is closed and stable. The body is \`application/problem+json\` (RFC 9457);
\`detail\` names the field and what to do, \`request_id\` finds the log line, where the reason stands in full.

${table(['kind', 'status', 'title', 'try again'], rows)}

\`source_failed\` is 422 where the origin itself answered with a 4xx (then \`source_status\` has it): the URL is wrong, not
the network. \`overloaded\` is 503 while the gateway is short of memory, whoever asks, and its Retry-After is the time that the
queue needs ([overload.md](overload.md)). \`quota\` says there when its window ends. Headers above 16 KiB are an
\`invalid_request\` of status 431. \`client_gone\` is never sent; it stands in logs and metrics.
`;
}

/** The files and their text as they ought to be. */
export async function writtenDocs(): Promise<ReadonlyMap<URL, string>> {
  const readme = await readFile(README, 'utf8');
  const between = /(<!-- settings: [^>]*-->\n)[\s\S]*(<!-- \/settings -->)/;
  return new Map([
    [README, readme.replace(between, (_all, open, close) => `${open}${settingsTable()}\n${close}`)],
    [ERRORS, errorsPage()],
    [LIMITS, limitsPage()],
  ]);
}

if (import.meta.main) {
  for (const [file, text] of await writtenDocs()) await writeFile(file, text);
}
