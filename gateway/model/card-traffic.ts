/** The rules of `traffic`, `shadow` and `guard` in model.yaml. */
import { z } from 'zod';
import { EVEN_AFTER_MISTAKES, ruleIn } from './card-rules.ts';
import { backend, text, timeout } from './card-values.ts';

/** A version or a label. A label that is a number would be taken for a version. */
const versionName = z.union([z.int().min(0), text.regex(/\D/)]);
/** "10%", "0.5%": from 0 to 1. */
const share = z
  .string()
  .regex(/^(100|\d{1,2}(\.\d{1,3})?)%$/)
  .transform((given) => Number.parseFloat(given) / 100);
/** "header x-user-id", "query user" or "instance id". */
const sticky = z
  .string()
  .regex(/^((header|query) [\w.-]+|instance id)$/)
  .transform((given) => {
    const [from, name = ''] = given.split(' ');
    if (from === 'instance') return { from };
    return from === 'header' ? { from, name: name.toLowerCase() } : { from: 'query' as const, name };
  });
export const traffic = z
  .strictObject({
    stable: versionName.optional(),
    canary: z.strictObject({ version: versionName, share }).optional(),
    sticky: sticky.optional(),
  })
  .superRefine(({ stable, canary }, context) => {
    const rule = ruleIn(context);
    rule(['canary', 'stable'], () => (canary && canary.version === stable ? 'is the stable version' : undefined));
  }, EVEN_AFTER_MISTAKES);

/** Copies of requests. A version on other servers is not looked up there, so a label would not be known. */
export const shadow = z
  .strictObject({ version: versionName, share, backend: backend.optional() })
  .superRefine(({ version, backend }, context) => {
    const rule = ruleIn(context);
    rule(['version', 'backend'], () =>
      backend && typeof version === 'string' ? 'is the number of a version where backend is set' : undefined,
    );
  }, EVEN_AFTER_MISTAKES);

const BOUNDS = ['max_error_rate_increase', 'max_latency_ratio', 'min_top1_agreement'] as const;
/** The defaults of window and min_requests stand in docs/shadow-and-guard.md. */
export const guard = z
  .strictObject({
    window: timeout.default(300_000),
    min_requests: z.int().min(10).max(1_000_000).default(200),
    max_error_rate_increase: share.optional(),
    max_latency_ratio: z.number().min(1).max(1000).optional(),
    min_top1_agreement: share.optional(),
  })
  .superRefine((bounds, context) => {
    const rule = ruleIn(context);
    rule([BOUNDS[0]], () =>
      BOUNDS.every((name) => bounds[name] === undefined)
        ? `a guard needs ${BOUNDS.join(', ')}, or some of them`
        : undefined,
    );
  }, EVEN_AFTER_MISTAKES)
  .transform(({ window, min_requests, max_error_rate_increase, max_latency_ratio, min_top1_agreement }) => ({
    windowMs: window,
    minRequests: min_requests,
    ...(max_error_rate_increase !== undefined && { maxErrorRateIncrease: max_error_rate_increase }),
    ...(max_latency_ratio !== undefined && { maxLatencyRatio: max_latency_ratio }),
    ...(min_top1_agreement !== undefined && { minTop1Agreement: min_top1_agreement }),
  }));
