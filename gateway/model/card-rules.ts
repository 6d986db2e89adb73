/** Rules about several fields of model.yaml. */
import type { z } from 'zod';

/**
 * Makes the adder of rules about several fields. A rule returns what is wrong with its first field. It is skipped when one of
 * its fields is wrong by itself.
 */
export function ruleIn(context: z.core.$RefinementCtx) {
  const wrong = new Set(context.issues.map(({ path = [] }) => path[0]));
  return (fields: readonly [string, ...string[]], find: () => string | undefined): void => {
    const message = fields.some((field) => wrong.has(field)) ? undefined : find();
    if (message !== undefined) context.addIssue({ code: 'custom', path: [fields[0]], message });
  };
}

/** Without it zod skips a refinement after the first mistake of any field. */
export const EVEN_AFTER_MISTAKES = {
  when: ({ value }: { value: unknown }) => typeof value === 'object' && value !== null,
};
