/** Asks a cluster by kubectl, as its user does: KUBECONFIG says which. */
import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));
export const NAMESPACE = 'tensorgate';

/** A program of the repository or of the machine, to its end; rejects with what it said on stderr. */
export async function run(program: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(program, args, { cwd: ROOT, maxBuffer: 2 ** 26 });
  return stdout.trim();
}

/** kubectl in the namespace; resolves to what it prints. */
export const kubectl = (...args: readonly string[]): Promise<string> =>
  run('kubectl', '--namespace', NAMESPACE, ...args);

/** A shell line in a pod or in the first pod of a deployment; resolves to what it prints, its failure among it. */
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

/** The pods of a deployment, those that are on their way out among them. */
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

/** The pods that answer. */
export const readyPodsOf = async (name: string): Promise<readonly Pod[]> =>
  (await podsOf(name)).filter(({ isReady, isLeaving }) => isReady && !isLeaving);

/** Looks every half second until there is a result; rejects after the time with `what` and the last error. */
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
  throw new Error(`${what}: not within ${limitMs / 1000} s`, { cause: last });
}

/** Waits until so many pods of a deployment answer and none other is left. */
export const settled = (name: string, count: number, limitMs = 180_000): Promise<readonly Pod[]> =>
  until(`${count} pods of ${name}`, limitMs, async () => {
    const pods = await podsOf(name);
    return pods.length === count && pods.every(({ isReady }) => isReady) ? pods : undefined;
  });

/** Sets the bounds of an autoscaler; the deployment follows within its period. */
export const bounds = (name: string, minReplicas: number, maxReplicas: number): Promise<string> =>
  kubectl('patch', 'hpa', name, '--patch', JSON.stringify({ spec: { minReplicas, maxReplicas } }));
