/** What both forms of the Open Inference Protocol get: over HTTP and over gRPC. */

import type { Config } from '../config/schema.ts';
import { VERSION } from '../domain/version.ts';
import { provenStatuses } from '../model/proven-statuses.ts';
import { countPictures, type Metrics } from '../observe/metrics.ts';
import type { OpenInferenceOptions } from '../open-inference/options.ts';
import { infer } from '../pipeline/infer.ts';
import { predictPictures } from '../pipeline/pictures.ts';
import type { Line } from './stages.ts';

type Parts = { readonly config: Config; readonly line: Line; readonly metrics: Metrics };

/** Names the parts that it needs. */
export function openInferenceOptions(
  { config, line: { stages, watch }, metrics }: Parts,
  { check, isReady }: Pick<OpenInferenceOptions, 'check' | 'isReady'>,
): OpenInferenceOptions {
  return {
    check,
    isReady,
    server: { name: 'tensorgate', version: VERSION },
    maxInstances: config.maxInstances,
    resolve: stages.route.resolve,
    versions(model) {
      const versions = (watch.model(model) ?? watch.discovery.get(model))?.versions;
      const statuses = versions ? provenStatuses(versions) : [];
      return statuses.flatMap((one) => (one.state === 'AVAILABLE' ? one.version : []));
    },
    infer: (request, context) => infer(stages, request, context),
    async predictPictures(request, context) {
      const answer = await predictPictures(stages, request, context);
      countPictures(metrics, answer);
      return answer;
    },
  };
}
