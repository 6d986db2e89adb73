/** The checks, by the names that the files of kubernetes/must-fail use. Each returns its findings. */
import type { Manifest } from './manifest.ts';
import { checkPodSecurity } from './pod-security.ts';
import { checkDrain, checkPods } from './pods.ts';
import { checkReferences } from './references.ts';
import { checkSchema } from './schema.ts';
import { checkScore } from './score.ts';

type Check = (manifests: readonly Manifest[]) => readonly string[] | Promise<readonly string[]>;

export const CHECKS: Readonly<Record<string, Check>> = {
  schema: checkSchema,
  'kube-score': checkScore,
  'pod security': checkPodSecurity,
  pods: checkPods,
  drain: checkDrain,
  references: checkReferences,
};
