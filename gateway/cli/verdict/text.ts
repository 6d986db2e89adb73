/** The verdict as a table and a sentence. */
import type { Finding, Subject } from '../../domain/evidence/findings.ts';
import type { Interval } from '../../domain/evidence/measured.ts';
import { percentText, pointsText } from '../../domain/evidence/words.ts';
import { columns } from '../output.ts';
import { plainName } from '../plain-name.ts';
import type { ShareReport, SideReport, VerdictReport } from './report.ts';

/** One row for each figure: of the candidate, of the version it is compared with, and of both. */
export function textOf(report: VerdictReport): string {
  const { model, candidate, reference, agreement, decision, reason } = report;
  const of = (subject: Subject) => comparedCells(report.findings.find((one) => one.subject === subject));
  const latency = (name: keyof NonNullable<SideReport['latencyMs']>) => [
    msText(candidate, name),
    msText(reference, name),
  ];
  const rows = [
    ['requests', String(candidate.requests), String(reference.requests)],
    ['errors', String(candidate.errors), String(reference.errors)],
    ['error rate', shareText(candidate.errorRate), shareText(reference.errorRate), ...of('errors')],
    ['latency mean', ...latency('mean'), ...of('latency')],
    ['latency p50', ...latency('p50')],
    ['latency p99', ...latency('p99')],
    ['agreement', '', '', ...agreementCells(report, of('agreement'))],
    ['distance of scores', '', '', agreement.meanDistance?.toFixed(3) ?? ''],
  ].filter((row) => row.slice(1).some((cell) => cell !== ''));
  const filled = rows.map((row) => HEADS.map((_, index) => row[index] ?? ''));
  const heads = HEADS.with(1, `VERSION ${candidate.version}`).with(2, `VERSION ${reference.version}`);
  return `${plainName(model)}\n${columns(heads, filled)}\n\n${decision}: ${reason}`;
}

const HEADS: readonly string[] = ['', '', '', 'COMPARED', '95 % INTERVAL', 'BOUND'];

type Cells = readonly [value: string, interval: string, bound: string];

function comparedCells(finding: Finding | undefined): Cells {
  if (!finding) return ['', '', ''];
  const { subject, measured, bound } = finding;
  const { show, limit } = SHOWN[subject];
  const [value, interval] = measured ? [show(measured.value), intervalText(measured.interval, show)] : ['-', '-'];
  return [value, interval, `${limit} ${show(bound)}`];
}

/** The agreement is shown without a bound too. */
function agreementCells({ agreement: { share, compared } }: VerdictReport, [, , bound]: Cells): readonly string[] {
  if (!share) return bound === '' ? [] : ['-', '-', bound];
  return [`${percentText(share.value)} of ${compared}`, intervalText(share.interval, percentText), bound];
}

type Shown = { readonly show: (value: number) => string; readonly limit: string };

const SHOWN: Readonly<Record<Subject, Shown>> = {
  errors: { show: (rate) => `${rate < 0 ? '' : '+'}${pointsText(rate)} points`, limit: 'at most' },
  latency: { show: (ratio) => `x ${ratio.toFixed(2)}`, limit: 'at most' },
  agreement: { show: (share) => percentText(share), limit: 'at least' },
};

const intervalText = (interval: Interval, show: (value: number) => string) =>
  interval.map((value) => show(value)).join(' to ');

function shareText(share: ShareReport): string {
  if (!share) return '-';
  return `${percentText(share.value)} (${intervalText(share.interval, percentText)})`;
}

function msText({ latencyMs }: SideReport, name: keyof NonNullable<SideReport['latencyMs']>): string {
  return latencyMs ? `${latencyMs[name].toFixed(1)} ms` : '-';
}
