/** Counts the predictions of each pod from its metrics. */
import { inside, readyPodsOf } from './kubectl.ts';

/** TF-Serving's image has no curl, so bash opens the connection. */
const TF_SERVING_METRICS =
  "exec 3<>/dev/tcp/127.0.0.1/8501; printf 'GET /monitoring/prometheus/metrics HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3";
const GATEWAY_METRICS =
  'node --eval \'fetch("http://127.0.0.1:9697/metrics").then((answer) => answer.text()).then(console.log)\'';

const COUNTERS: Readonly<Record<string, readonly [line: string, counter: RegExp]>> = {
  'tf-serving': [
    TF_SERVING_METRICS,
    /^:tensorflow:serving:request_count\{model_name="clothing-model",status="OK"\} (\S+)$/m,
  ],
  gateway: [GATEWAY_METRICS, /^tensorgate_requests_total\{route="\/predict",status="200",kind="none"\} (\S+)$/m],
};

/** The successful predictions so far of each ready pod of a deployment. */
export async function predictions(name: string): Promise<ReadonlyMap<string, number>> {
  const [line, counter] = COUNTERS[name] ?? [];
  if (!line || !counter) throw new Error(`no counter for ${name}`);
  const pods = await readyPodsOf(name);
  const counts = pods.map(
    async (pod) => [pod.name, Number(counter.exec(await inside(pod.name, line))?.[1] ?? 0)] as const,
  );
  return new Map(await Promise.all(counts));
}

/** Each pod's share of all predictions between two counts. */
export function shares(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): Map<string, number> {
  const done = [...after].map(([pod, count]) => [pod, count - (before.get(pod) ?? 0)] as const);
  const all = done.reduce((sum, [, count]) => sum + count, 0);
  return new Map(done.map(([pod, count]) => [pod, count / all]));
}
