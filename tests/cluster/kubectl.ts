/** Runs kubectl against the cluster of KUBECONFIG. */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));
export const NAMESPACE = 'tensorgate';
export const MODEL = path.join(ROOT, 'serving/models/clothing-model');

/** The time since `fromMs` of performance.now(), such as "12.3 s". */
export const seconds = (fromMs: number): string => `${((performance.now() - fromMs) / 1000).toFixed(1)} s`;

/** Runs a program in the repository. Resolves to its stdout; rejects with its stderr if it fails. */
export async function run(program: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(program, args, { cwd: ROOT, maxBuffer: 2 ** 26 });
  return stdout.trim();
}

/** Runs kubectl in the namespace. Resolves to its stdout. */
export const kubectl = (...args: readonly string[]): Promise<string> =>
  run('kubectl', '--namespace', NAMESPACE, ...args);

/** Runs a shell line in a pod, or in the first pod of a deployment. Resolves to stdout and stderr; never fails. */
export const inside = (target: string, line: string): Promise<string> =>
  kubectl('exec', target, '--', 'bash', '-c', `${line} 2>&1 || true`);

export type Pod = {
  readonly name: string;
  readonly ip: string;
  readonly isReady: boolean;
  readonly readySinceMs: number;
  readonly restarts: number;
  readonly isLeaving: boolean;
};

type Condition = { readonly type: string; readonly status: string; readonly lastTransitionTime: string };
type PodObject = {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
  readonly status: {
    readonly podIP?: string;
    readonly conditions?: readonly Condition[];
    readonly containerStatuses?: readonly { readonly restartCount: number }[];
  };
};

/** The pods of a deployment, with those that are terminating. */
export async function podsOf(name: string): Promise<readonly Pod[]> {
  const text = await kubectl('get', 'pods', '--selector', `app.kubernetes.io/name=${name}`, '--output', 'json');
  const { items } = JSON.parse(text) as { items: readonly PodObject[] };
  return items.map(({ metadata, status }) => {
    const ready = status.conditions?.find(({ type }) => type === 'Ready');
    return {
      name: metadata.name,
      ip: status.podIP ?? '',
      isReady: ready?.status === 'True',
      readySinceMs: Date.parse(ready?.lastTransitionTime ?? ''),
      restarts: status.containerStatuses?.[0]?.restartCount ?? 0,
      isLeaving: metadata.deletionTimestamp !== undefined,
    };
  });
}

/** The pods that are ready and not terminating. */
export const readyPodsOf = async (name: string): Promise<readonly Pod[]> =>
  (await podsOf(name)).filter(({ isReady, isLeaving }) => isReady && !isLeaving);

/** Polls every 500 ms until `look` returns a value. Rejects after `limitMs` with `what` and the last error. */
export async function until<T>(what: string, limitMs: number, look: () => Promise<T | undefined>): Promise<T> {
  const end = performance.now() + limitMs;
  let last: unknown;
  while (performance.now() < end) {
    try {
      const found = await look();
      if (found !== undefined) return found;
    } catch (error) {
      last = error;
    }
    await sleep(500);
  }
  throw new Error(`timeout after ${limitMs / 1000} s while waiting for ${what}`, { cause: last });
}

/** Waits until a deployment has exactly `count` pods and all are ready. */
export const settled = (name: string, count: number, limitMs = 180_000): Promise<readonly Pod[]> =>
  until(`${count} pods of ${name}`, limitMs, async () => {
    const pods = await podsOf(name);
    return pods.length === count && pods.every(({ isReady }) => isReady) ? pods : undefined;
  });

/** Sets the bounds of an autoscaler. The deployment follows within its sync period. */
export const bounds = (name: string, minReplicas: number, maxReplicas: number): Promise<string> =>
  kubectl('patch', 'hpa', name, '--patch', JSON.stringify({ spec: { minReplicas, maxReplicas } }));
