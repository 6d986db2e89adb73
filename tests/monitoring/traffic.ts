/** Traffic of every kind that the dashboards show, until it is stopped. */
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { predict, predictImage, type Service } from '../gateway.ts';

const JPEG = await readFile(new URL('../golden/images/jpg-420.jpg', import.meta.url));
/** sharp decodes it in a process. */
const AVIF = await readFile(new URL('../golden/images/avif-420.avif', import.meta.url));
/** Records of a request: enough for the rules of skew and drift within seconds. */
const RECORDS = 128;
const PAUSE_MS = 500;

export type Traffic = {
  /** Ends it. Rejects if a request got no answer. */
  stop(): Promise<void>;
};

/** Sends images, a URL, records of a model with a baseline, one to explain, and a wrong request to each gateway, all at once, again and again. */
export async function startTraffic(gateways: readonly Service[], url: string): Promise<Traffic> {
  const records = { instances: await recordsOf(gateways[0] as Service) };
  const ending = new AbortController();
  async function keepOn(gateway: Service): Promise<void> {
    while (!ending.signal.aborted) {
      const answers = await Promise.all([
        ...Array.from({ length: 4 }, () => predictImage(gateway, JPEG)),
        predictImage(gateway, AVIF, { 'Content-Type': 'image/avif' }),
        predict(gateway, { url }),
        predict(gateway, records, '?model=churn-synthetic'),
        predict(gateway, records.instances[0], '?model=churn-synthetic&explain=shapley&explain.samples=1'),
        predict(gateway, 'no JSON'),
      ]);
      await Promise.all(answers.map((answer) => answer.arrayBuffer()));
      await sleep(PAUSE_MS, undefined, { signal: ending.signal }).catch(() => undefined);
    }
  }
  const going = Promise.all(gateways.map(keepOn));
  return {
    async stop() {
      ending.abort();
      await going;
    },
  };
}

/** The examples of the model churn-synthetic, which has a baseline, many times. */
async function recordsOf({ url }: Service): Promise<object[]> {
  const { records } = (await (await fetch(`${url}/models/churn-synthetic/examples`)).json()) as { records: object[] };
  return Array.from({ length: RECORDS }, (_, index) => records[index % records.length] ?? {});
}
