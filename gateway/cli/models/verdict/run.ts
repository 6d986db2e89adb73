/** `tensorgate models verdict`: whether the measurements of a canary or shadow support it. */
import { boundsOf } from '../../verdict/bounds.ts';
import { exitCodeOf, reportOf } from '../../verdict/report.ts';
import { textOf } from '../../verdict/text.ts';
import { readCard } from '../card-file.ts';
import type { ModelsContext } from '../context.ts';
import { labelsOf } from '../labels.ts';
import { comparedOf } from './counts.ts';
import { samplesOfGateways } from './exposition.ts';
import { samplesOfPrometheus } from './prometheus.ts';
import { candidateOf, referenceOf } from './trial.ts';

export type VerdictOptions = {
  readonly version?: number | undefined;
  readonly against?: number | undefined;
  /** Addresses of the metrics of every gateway. */
  readonly metrics: readonly string[];
  /** The address of a Prometheus, asked in place of the gateways. */
  readonly prometheus?: string | undefined;
  readonly windowMs: number;
};

/** Prints the verdict and sets the exit code. Throws ModelsError and ModelCardError. */
export async function runVerdict(model: string, options: VerdictOptions, context: ModelsContext): Promise<void> {
  const { version, against, metrics, prometheus, windowMs } = options;
  const { models, output } = context;
  const { card } = await readCard(models, model);
  const labels = await labelsOf(models, model);
  const candidate = candidateOf(card, labels, version);
  const samples =
    prometheus === undefined
      ? await samplesOfGateways(metrics, model)
      : await samplesOfPrometheus(prometheus, model, windowMs);
  const reference =
    against === undefined
      ? referenceOf(card, labels, candidate, samples)
      : ({ version: against, role: 'stable' } as const);
  const compared = comparedOf(samples, model, candidate, reference);
  const report = reportOf(compared, boundsOf(card, compared));
  output.result(report, textOf(report));
  process.exitCode = exitCodeOf(report);
}
