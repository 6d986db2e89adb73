/**
 * Measures predictions of pictures at 70 % of the gateway's capacity, without and with explanations beside them. Rounds alternate, to
 * spread the effect of other load on the machine. The model is the embedded one; the load generator runs on its own core.
 *
 *   node bench/explanations-load.ts [seconds a round, 30 by default] [rounds of each, 5 by default]
 */
import { readFile } from 'node:fs/promises';
import { startGateway } from './gateway.ts';
import { median, moveAside, stopAll } from './load.ts';
import { capacity, offer, quantile } from './open-loop.ts';

const SHARE = 0.7;
const METHODS = ['shapley', 'occlusion'];
const seconds = Number(process.argv[2] ?? 30);
const rounds = Number(process.argv[3] ?? 5);

const aside = await moveAside();
const picture = await readFile(new URL('../tests/golden/images/jpg-420.jpg', import.meta.url));
const body = JSON.stringify({ b64: picture.toString('base64') });
const { port } = await startGateway({ MODEL_NAME: 'clothing-model' }, aside);
const url = `http://127.0.0.1:${port}`;
while (!(await fetch(`${url}/health/ready`)).ok) await new Promise((resolve) => setTimeout(resolve, 200));

/** Explains the picture again and again. Resolves to how many answers came, and the calls that they took. */
async function explainUntil(signal: AbortSignal): Promise<{ answers: number; calls: number }> {
  const done = { answers: 0, calls: 0 };
  for (let turn = 0; !signal.aborted; turn += 1) {
    const query = `explain=${METHODS[turn % METHODS.length]}&explain.seconds=5`;
    const headers = { 'Content-Type': 'application/json' };
    try {
      const response = await fetch(`${url}/predict?${query}`, { method: 'POST', headers, body, signal });
      const { explanations } = (await response.json()) as { explanations?: { calls: number } };
      if (explanations) {
        done.answers += 1;
        done.calls += explanations.calls;
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
  return done;
}

try {
  const perSecond = SHARE * (await capacity(url, body, seconds));
  console.log(`predictions at ${perSecond.toFixed(1)}/s, 70 % of the capacity`);
  const p99: Record<'without' | 'with', number[]> = { without: [], with: [] };
  for (let round = 0; round < 2 * rounds; round += 1) {
    const kind = round % 2 === 0 ? 'without' : 'with';
    const ending = new AbortController();
    const explaining = kind === 'with' ? explainUntil(ending.signal) : undefined;
    const { acceptedMs, failures, refusedMs } = await offer({ url, body, perSecond, seconds });
    ending.abort();
    const explained = await explaining;
    p99[kind].push(quantile(acceptedMs, 0.99));
    const beside = explained ? `, ${explained.answers} explanations with ${explained.calls} calls` : '';
    const times = [0.5, 0.99].map((share) => quantile(acceptedMs, share).toFixed(1)).join(' and ');
    console.log(`${kind}: p50 and p99 ${times} ms, ${refusedMs.length} refused, ${failures.length} failed${beside}`);
  }
  const ratio = median(p99.with) / median(p99.without);
  console.log(`p99 with explanations is ${ratio.toFixed(2)} of that without (medians of ${rounds} rounds)`);
} finally {
  stopAll();
}
