/** The samples of all gateways that a Prometheus scrapes, over the last minutes or hours. */
import { z } from 'zod';
import { causeOf } from '../../gateway/address.ts';
import { refused } from '../failure.ts';
import { type Sample, SERIES } from './samples.ts';

const TIMEOUT_MS = 30_000;

/** An answer of /api/v1/query (https://prometheus.io/docs/prometheus/latest/querying/api). */
const answerSchema = z.union([
  z.object({
    status: z.literal('success'),
    data: z.object({
      result: z.array(z.object({ metric: z.record(z.string(), z.string()), value: z.tuple([z.number(), z.string()]) })),
    }),
  }),
  z.object({ status: z.literal('error'), error: z.string() }),
]);

/** How much each series of a model has grown. `windowMs`: until now. Throws `refused` for what is no Prometheus. */
export async function samplesOfPrometheus(base: string, model: string, windowMs: number): Promise<readonly Sample[]> {
  const queries = Object.entries(SERIES).map(async ([name, labels]): Promise<Sample[]> => {
    const seconds = Math.ceil(windowMs / 1000);
    const result = await query(
      base,
      `sum by (${labels.join(', ')}) (increase(${name}{model=${JSON.stringify(model)}}[${seconds}s]))`,
    );
    return result.map((one) => ({ name, labels: one.metric, value: Number(one.value[1]) }));
  });
  return (await Promise.all(queries)).flat();
}

async function query(base: string, expression: string) {
  const root = URL.parse(base);
  if (!root || !/^https?:$/.test(root.protocol)) throw refused(`--prometheus ${base}: needs http:// or https://`);
  const url = new URL(`${root.pathname.replace(/\/$/, '')}/api/v1/query`, root);
  url.searchParams.set('query', expression);
  const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) }).catch((cause: unknown) => {
    throw refused(`--prometheus ${base}: does not answer (${causeOf(cause)})`, { cause });
  });
  const answer = answerSchema.safeParse(await response.json().catch(() => undefined));
  if (!answer.success) throw refused(`--prometheus ${base}: is no Prometheus (status ${response.status})`);
  if (answer.data.status === 'error') throw refused(`--prometheus ${base}: ${answer.data.error}`);
  return answer.data.data.result;
}
