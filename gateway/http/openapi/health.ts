/** The health routes as openapi.json describes them. */
import { z } from 'zod';
import { answerOf, type DescribedRoute } from './route.ts';

const parity = z.object({ state: z.enum(['proven', 'unproven', 'differing']), detail: z.string() });
const model = z.object({
  ready: z.boolean(),
  version: z.int().optional(),
  parity: parity.optional(),
  problem: z.string().optional().describe('Why it is not ready.'),
  refused: z
    .array(z.object({ version: z.int(), problem: z.string(), parity: parity.optional() }))
    .optional()
    .describe('Versions that never answer.'),
  canary: z
    .object({
      version: z.union([z.int(), z.string()]).describe('As model.yaml names it: a number or a label.'),
      share: z.number().describe('Of the requests that name no version, from 0 to 1.'),
      problem: z.string().optional().describe('Why it gets none of them.'),
    })
    .optional(),
  mistake: z.string().optional().describe('Why the newest model.yaml is refused: the last valid one is in use.'),
});
/** Addresses and texts of libraries are on the admin port only. */
const detailed = model.extend({ detail: z.string().optional() });

const readiness = (withDetails: boolean) =>
  z
    .object({
      status: z.enum(['ready', 'not ready']),
      problem: z.string().optional(),
      models: z.record(z.string(), withDetails ? detailed : model),
    })
    .meta({ id: 'Readiness' });

export type HealthRoutes = {
  /** Paths of platforms that answer as `/health/ready` does. */
  readonly aliases: readonly string[];
  readonly withDetails: boolean;
};

/** No API key is needed. */
export function describeHealth({ aliases, withDetails }: HealthRoutes): DescribedRoute[] {
  const schema = readiness(withDetails);
  const ready = (path: string, operationId: string): DescribedRoute => ({
    method: 'get',
    path,
    answersOf: 'ready',
    operation: {
      operationId,
      summary: 'Whether a prediction would work',
      tags: ['health'],
      security: [],
      responses: { 200: answerOf('Ready.', schema), 503: answerOf('Not ready.', schema) },
    },
    examples: { ready: { summary: 'A gateway with the committed models' } },
  });
  return [
    {
      method: 'get',
      path: '/health/live',
      operation: {
        operationId: 'live',
        summary: 'Whether the process responds',
        tags: ['health'],
        security: [],
        responses: { 200: answerOf('It does.', z.object({ status: z.literal('live') })) },
      },
      examples: { live: { summary: 'A gateway' } },
    },
    ready('/health/ready', 'ready'),
    ...aliases.filter((path) => !path.startsWith('/health/')).map((path) => ready(path, `ready${pascal(path)}`)),
  ];
}

/** `/v1/my-health` as `V1MyHealth`. */
function pascal(path: string): string {
  return path.replace(/\W+(\w?)/g, (_, first: string) => first.toUpperCase());
}
