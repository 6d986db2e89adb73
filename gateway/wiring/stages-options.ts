/** What the stages are made of. */
import type { Logger } from 'pino';
import type { Admission } from '../admission/admission.ts';
import type { Config } from '../config/schema.ts';
import type { DescriptorPlan } from '../machine/descriptors.ts';
import type { MemoryPlan } from '../machine/memory-plan.ts';
import type { ModelCard } from '../model/card.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { PredictionLog } from '../observe/prediction-log/open.ts';
import type { OwnAdmissions } from './own-admissions.ts';

export type StagesOptions = {
  readonly config: Config;
  readonly log: Logger;
  /** Why the model server has no version of a model, if the gateway can see it. */
  readonly explain: (card: ModelCard) => Promise<string | undefined>;
  /** Address of the model server, in the form of TF_SERVING_HOST. */
  readonly target: string;
  readonly admission: Admission;
  readonly ownAdmissions: OwnAdmissions;
  readonly plan: MemoryPlan;
  readonly descriptors: DescriptorPlan;
  readonly metrics: Metrics;
  /** Undefined where it is off. */
  readonly predictions: PredictionLog | undefined;
  /** Takes what has to be closed with the gateway. */
  readonly opened: DisposableStack;
};
