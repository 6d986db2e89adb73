/**
 * Rules of this repository beyond the Pod Security Standards: users, resources, probes, and a shutdown without lost
 * requests.
 */
import { readConfig } from '../../gateway/config/read.ts';
import { DRAIN_MARGIN_MS } from '../../gateway/main.ts';
import { type Container, type Manifest, nameOf, type Pod, type PodSpec, podsOf } from './manifest.ts';

/** Lower ids belong to users of the node: a process that escapes its container would run as one of them. */
const MIN_UID = 10_000;
/** The default of Kubernetes. */
const DEFAULT_GRACE_SECONDS = 30;

const PROBES = ['startupProbe', 'readinessProbe', 'livenessProbe'] as const;

/** Findings about privileges, images, resources and probes. */
export function checkPods(manifests: readonly Manifest[]): string[] {
  const accounts = manifests.filter(({ kind }) => kind === 'ServiceAccount');
  return [
    ...accounts.flatMap((account) =>
      account.automountServiceAccountToken === false ? [] : `${nameOf(account)} mounts its token`,
    ),
    ...podsOf(manifests).flatMap(({ owner, spec }) => [
      ...(spec.automountServiceAccountToken === false ? [] : [`${owner} mounts a token`]),
      ...[...(spec.initContainers ?? []), ...spec.containers].flatMap((container) =>
        containerFindings(spec, container, isJob(owner)).map(
          (finding) => `${owner}, container ${container.name}, ${finding}`,
        ),
      ),
    ]),
  ];
}

/** Whether the pods of an owner run to their end. Nothing sends them requests, so they need no probes and no pause before their end. */
const isJob = (owner: string) => /^(?:Cron)?Job /.test(owner);

function containerFindings(pod: PodSpec, container: Container, isOfJob: boolean): string[] {
  const { image, resources, securityContext } = container;
  const probes = pod.containers.includes(container) && !isOfJob ? PROBES : [];
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

/**
 * The grace period must cover the preStop sleep, in which proxies remove the pod, and the drain time: for the gateway,
 * its longest request.
 */
export function checkDrain(manifests: readonly Manifest[]): string[] {
  const serving = podsOf(manifests).filter(({ owner }) => !isJob(owner));
  return serving.flatMap((pod) => {
    const graceMs = (pod.spec.terminationGracePeriodSeconds ?? DEFAULT_GRACE_SECONDS) * 1000;
    return pod.spec.containers.flatMap((container) => {
      const sleepMs = (container.lifecycle?.preStop?.sleep?.seconds ?? 0) * 1000;
      const neededMs = sleepMs + drainMs(pod, container);
      if (sleepMs === 0) return [`${pod.owner} ends without a preStop sleep, while proxies still send it requests`];
      return graceMs > neededMs
        ? []
        : [`${pod.owner} is killed after ${graceMs} ms and needs more than ${neededMs} ms`];
    });
  });
}

/** The drain time of the process: REQUEST_TIMEOUT plus a margin for the gateway, 0 for TF-Serving. */
function drainMs({ labels }: Pod, { env = [] }: Container): number {
  if (labels['app.kubernetes.io/name'] !== 'gateway') return 0;
  const settings = Object.fromEntries(env.map(({ name, value }) => [name, value]));
  return readConfig({}, settings).requestTimeoutMs + DRAIN_MARGIN_MS;
}
