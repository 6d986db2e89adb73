/** What this repository asks of its pods beyond the standard: small rights, known sizes, probes, and an end that loses nothing. */
import { readConfig } from '../../gateway/config.ts';
import { DRAIN_MARGIN_MS } from '../../gateway/main.ts';
import { type Container, type Manifest, nameOf, type Pod, type PodSpec, podsOf } from './manifest.ts';

/** Below it lie the users of machines: a process that gets out of its container would be one of them. */
const MIN_UID = 10_000;
/** Kubernetes' own, where a pod says nothing. */
const DEFAULT_GRACE_SECONDS = 30;

const PROBES = ['startupProbe', 'readinessProbe', 'livenessProbe'] as const;

/** Rights that no pod needs, and sizes that the scheduler does. */
export function checkPods(manifests: readonly Manifest[]): string[] {
  const accounts = manifests.filter(({ kind }) => kind === 'ServiceAccount');
  return [
    ...accounts.flatMap((account) =>
      account.automountServiceAccountToken === false ? [] : `${nameOf(account)} mounts its token`,
    ),
    ...podsOf(manifests).flatMap(({ owner, spec }) => [
      ...(spec.automountServiceAccountToken === false ? [] : [`${owner} mounts a token`]),
      ...[...(spec.initContainers ?? []), ...spec.containers].flatMap((container) =>
        containerFindings(spec, container).map((finding) => `${owner}, container ${container.name}, ${finding}`),
      ),
    ]),
  ];
}

function containerFindings(pod: PodSpec, container: Container): string[] {
  const { image, resources, securityContext } = container;
  const probes = pod.containers.includes(container) ? PROBES : [];
  const uid = securityContext?.runAsUser ?? pod.securityContext?.runAsUser ?? 0;
  const [, tag] = /:([^/:@]+)(?:@|$)/.exec(image) ?? [];
  return [
    ...(uid >= MIN_UID ? [] : [`runs as user ${uid}, below ${MIN_UID}`]),
    ...(securityContext?.readOnlyRootFilesystem === true ? [] : ['can write to its root file system']),
    ...(tag !== undefined && tag !== 'latest' ? [] : [`has the image ${image}, of no fixed version`]),
    ...['cpu', 'memory'].flatMap((name) => (resources?.requests?.[name] ? [] : `requests no ${name}`)),
    ...(resources?.limits?.memory ? [] : ['has no memory limit']),
    ...probes.flatMap((name) => (container[name] ? [] : `has no ${name}`)),
  ];
}

/** A pod is killed only after the sleep in which proxies forget it, and the gateway after its longest request besides. */
export function checkDrain(manifests: readonly Manifest[]): string[] {
  return podsOf(manifests).flatMap((pod) => {
    const graceMs = (pod.spec.terminationGracePeriodSeconds ?? DEFAULT_GRACE_SECONDS) * 1000;
    return pod.spec.containers.flatMap((container) => {
      const sleepMs = (container.lifecycle?.preStop?.sleep?.seconds ?? 0) * 1000;
      const neededMs = sleepMs + drainMs(pod, container);
      if (sleepMs === 0) return [`${pod.owner} ends without a preStop sleep, while proxies still know it`];
      return graceMs > neededMs
        ? []
        : [`${pod.owner} is killed after ${graceMs} ms and needs more than ${neededMs} ms`];
    });
  });
}

/** How long the process itself takes to end: the gateway's own drain; TF-Serving ends at once. */
function drainMs({ labels }: Pod, { env = [] }: Container): number {
  if (labels['app.kubernetes.io/name'] !== 'gateway') return 0;
  const settings = Object.fromEntries(env.map(({ name, value }) => [name, value]));
  return readConfig({}, settings).requestTimeoutMs + DRAIN_MARGIN_MS;
}
