/** The methods of explanation, by their names in requests. */
import type { MethodName } from '../domain/explanation.ts';
import { integratedGradients } from './gradients/integrated-gradients.ts';
import { xrai } from './gradients/xrai.ts';
import type { ExplainMethod } from './method.ts';
import { occlusion } from './occlusion.ts';
import { shapley } from './shapley.ts';

export const METHODS: Readonly<Record<MethodName, ExplainMethod>> = {
  occlusion,
  shapley,
  'integrated-gradients': integratedGradients,
  xrai,
};
