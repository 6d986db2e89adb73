/** Formats a diagnosis as text for an operator. */
import type { Finding } from '../../fetch/finding.ts';
import { sizeText } from '../output.ts';
import type { Diagnosis } from './diagnosis.ts';
import type { Hop } from './hops.ts';

/** Every step in order, then the result. */
export function diagnosisText({ hops, download, picture, failure }: Diagnosis): string {
  const lines = hops.flatMap(hopLines);
  if (download) lines.push(`downloaded  ${sizeText(download.bytes)} in ${download.durationMs} ms`);
  if (picture) {
    const { format, width, height } = picture;
    lines.push(`picture     ${format}${width === undefined ? '' : `, ${width} x ${height} pixels`}`);
  }
  if (!failure) return [...lines, 'yes: a prediction gets this picture'].join('\n');
  const { status, kind, detail, reason } = failure;
  lines.push(`no: a prediction is answered ${status} ${kind}`, `  its client reads: ${detail}`);
  if (reason) lines.push(`  the log says:     ${reason}`);
  return lines.join('\n');
}

function hopLines({ url, host, port, rules, addresses, answer }: Hop): string[] {
  const findings = [...rules, ...addresses.flatMap((one) => one.rules)];
  const target = port === undefined ? `bucket ${host}` : `host ${host || 'none'}, port ${port}`;
  const lines = [url, `  read as  ${target}`, ...findings.flatMap(findingLines)];
  if (answer) {
    const { status, contentType, location } = answer;
    const description =
      location === undefined ? contentType || 'no Content-Type' : `redirects to ${withoutQuery(location)}`;
    lines.push(`  answer   ${status}, ${description}`);
  }
  return lines;
}

function findingLines({ rule, refused, text, liftedBy }: Finding): string[] {
  const line = `  ${(refused ? 'REFUSED' : 'passed').padEnd(9)}${rule}: ${text}`;
  return liftedBy === undefined ? [line] : [line, `           ${liftedBy} would allow it`];
}

/** Removes the query, which may hold a signature, and control characters, which would reach the terminal. */
const withoutQuery = (location: string) =>
  location
    .replace(/[?#].*$/s, '')
    .replace(/\p{Cc}/gu, '?')
    .slice(0, 300);
