/** Formats what model servers say as text for an operator. */
import { columns } from '../output.ts';
import type { Answer, ServersDiagnosis } from './servers.ts';

/** A table for each list of servers, what is wrong, and the result. */
export function serversText({ servers, problems }: ServersDiagnosis): string {
  const tables = servers.map(({ host, protocol, answers }) => {
    const rows = answers.map((answer) => [answer.address, answer.model, stateText(answer)]);
    return `${host}, asked by ${protocol}\n${columns(['server', 'model', 'versions'], rows)}\n`;
  });
  const wrong = problems.map((problem) => `  ${problem}`);
  const verdict =
    problems.length === 0 ? 'yes: every server answers, and every model is ready' : 'no: something has to be mended';
  return [...tables, verdict, ...wrong].join('\n');
}

function stateText({ versions, trouble }: Answer): string {
  if (trouble !== undefined) return trouble;
  if (versions.length === 0) return 'no such model';
  return versions.map(({ version, state, error }) => `${version} ${state}${error && ` (${error})`}`).join(', ');
}
