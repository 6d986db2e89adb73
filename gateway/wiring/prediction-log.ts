/** Opens the prediction log by its settings. */
import type { Logger } from 'pino';
import type { Config } from '../config/schema.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { Destination } from '../observe/prediction-log/buffer.ts';
import { openCollector } from '../observe/prediction-log/collector.ts';
import { openFiles } from '../observe/prediction-log/file.ts';
import { openPredictionLog, type PredictionLog } from '../observe/prediction-log/open.ts';
import { toStdout, type WriteLine } from '../observe/prediction-log/stdout.ts';
import { checked } from './settings.ts';

export type PredictionLogParts = {
  readonly config: Pick<Config, 'predictionLog' | 'predictionLogSample'>;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly writeLine: WriteLine;
};

/** Undefined where it is off. Throws ConfigError for a folder that cannot be written. */
export function openPredictions({ config, log, metrics, writeLine }: PredictionLogParts): PredictionLog | undefined {
  const destination = destinationOf(config.predictionLog, writeLine);
  if (!destination) return undefined;
  const { predictionLines, labels } = metrics;
  for (const outcome of ['written', 'buffer_full', 'write_failed'] as const) predictionLines.inc({ outcome }, 0);
  return openPredictionLog({
    destination,
    share: config.predictionLogSample,
    log,
    onOutcome: (outcome, lines) => predictionLines.inc({ outcome }, lines),
    onLabel: ({ model = '', version = '', outcome }) => labels.inc({ model, version, outcome }),
  });
}

function destinationOf(target: Config['predictionLog'], writeLine: WriteLine): Destination | undefined {
  if (target === 'off') return undefined;
  if (target === 'stdout') return toStdout(writeLine);
  if ('url' in target) return openCollector(target);
  return checked(() => openFiles(target), 'PREDICTION_LOG');
}
