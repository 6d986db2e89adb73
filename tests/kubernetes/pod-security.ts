/**
 * The level "restricted" of the Pod Security Standards, which the namespace enforces.
 * See kubernetes.io/docs/concepts/security/pod-security-standards.
 */
import { type Container, type Manifest, type Pod, type PodSpec, podsOf, type SecurityContext } from './manifest.ts';

const CAPABILITIES = ['NET_BIND_SERVICE'];
const SECCOMP = ['RuntimeDefault', 'Localhost'];
const APP_ARMOR = ['RuntimeDefault', 'Localhost'];
const SELINUX_TYPES = ['', 'container_t', 'container_init_t', 'container_kvm_t', 'container_engine_t'];
const SYSCTLS = [
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
];
const VOLUMES = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'persistentVolumeClaim',
  'projected',
  'secret',
];

type Rule<T> = readonly [finding: string, isBroken: (of: T) => boolean];

const POD_RULES: readonly Rule<PodSpec>[] = [
  ['shares a namespace of the node', (pod) => [pod.hostNetwork, pod.hostPID, pod.hostIPC].includes(true)],
  [
    'sets a sysctl that is not safe',
    (pod) => pod.securityContext?.sysctls?.some(({ name }) => !SYSCTLS.includes(name)) ?? false,
  ],
  ['has a volume of a kind that is not allowed', ({ volumes = [] }) => volumes.some((volume) => !isAllowed(volume))],
];

/** Rules for the security context of a pod or container. */
const CONTEXT_RULES: readonly Rule<SecurityContext>[] = [
  ['runs as root', ({ runAsUser }) => runAsUser === 0],
  ['allows root by runAsNonRoot', ({ runAsNonRoot }) => runAsNonRoot === false],
  [
    'switches seccomp off',
    ({ seccompProfile }) => seccompProfile !== undefined && !SECCOMP.includes(seccompProfile.type),
  ],
  [
    'switches AppArmor off',
    ({ appArmorProfile }) => appArmorProfile !== undefined && !APP_ARMOR.includes(appArmorProfile.type),
  ],
  [
    'sets SELinux options that are not allowed',
    ({ seLinuxOptions: { type = '', user = '', role = '' } = {} }) =>
      !SELINUX_TYPES.includes(type) || user !== '' || role !== '',
  ],
  ['is a process of the Windows host', ({ windowsOptions }) => windowsOptions?.hostProcess === true],
];

const CONTAINER_RULES: readonly Rule<Container>[] = [
  ['is privileged', ({ securityContext }) => securityContext?.privileged === true],
  ['may gain privileges', ({ securityContext }) => securityContext?.allowPrivilegeEscalation !== false],
  ['keeps capabilities', ({ securityContext }) => !securityContext?.capabilities?.drop?.includes('ALL')],
  [
    'adds capabilities',
    ({ securityContext }) => securityContext?.capabilities?.add?.some((name) => !CAPABILITIES.includes(name)) ?? false,
  ],
  ['unmasks /proc', ({ securityContext: { procMount = 'Default' } = {} }) => procMount !== 'Default'],
  ['takes a port of the node', ({ ports = [] }) => ports.some(({ hostPort = 0 }) => hostPort !== 0)],
  [
    'has a probe or hook that asks another host',
    (container) => handlersOf(container).some((handler) => hostOf(handler) !== ''),
  ],
];

/** Findings of everything that the standard forbids. */
export function checkPodSecurity(manifests: readonly Manifest[]): string[] {
  return podsOf(manifests).flatMap(podFindings);
}

function podFindings({ owner, spec }: Pod): string[] {
  const containers = [...(spec.initContainers ?? []), ...spec.containers];
  return [
    ...broken(owner, POD_RULES, spec),
    ...broken(owner, CONTEXT_RULES, spec.securityContext ?? {}),
    ...containers.flatMap((container) => {
      const who = `${owner}, container ${container.name},`;
      const context = { ...spec.securityContext, ...container.securityContext };
      return [
        ...broken(who, CONTAINER_RULES, container),
        ...broken(who, CONTEXT_RULES, container.securityContext ?? {}),
        ...(context.runAsNonRoot === true ? [] : [`${who} may run as root`]),
        ...(context.seccompProfile === undefined ? [`${who} has no seccomp profile`] : []),
      ];
    }),
  ];
}

function broken<T>(who: string, rules: readonly Rule<T>[], of: T): string[] {
  return rules.flatMap(([finding, isBroken]) => (isBroken(of) ? `${who} ${finding}` : []));
}

const isAllowed = (volume: object) => Object.keys(volume).every((key) => key === 'name' || VOLUMES.includes(key));

function handlersOf({ startupProbe, readinessProbe, livenessProbe, lifecycle = {} }: Container) {
  return [startupProbe, readinessProbe, livenessProbe, lifecycle.preStop, lifecycle.postStart];
}

const hostOf = (handler: ReturnType<typeof handlersOf>[number]) =>
  handler?.httpGet?.host ?? handler?.tcpSocket?.host ?? '';
