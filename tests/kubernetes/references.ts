/** References between manifests must resolve: selected pods, ports, scale targets, volumes and accounts. */
import { type Labels, type Manifest, nameOf, type Pod, podsOf, type Selector, selects } from './manifest.ts';

/** Pods that a script creates while it runs; no manifest does. */
const PODS_OF_SCRIPTS: readonly Pod[] = [
  { owner: 'kubernetes/models.sh', labels: { 'app.kubernetes.io/name': 'models-command' }, spec: { containers: [] } },
];

/** Secrets that an operator makes, by a command of the README of a component. */
const SECRETS_OF_OPERATORS = ['retrain-hook'];

type Port = string | number;
type Peer = { readonly podSelector?: Selector; readonly namespaceSelector?: Selector };
type PolicyRule = {
  readonly from?: readonly Peer[];
  readonly to?: readonly Peer[];
  readonly ports?: readonly { readonly port?: Port }[];
};
type Target = { readonly kind?: string; readonly name: string };
type Backend = { readonly name: string; readonly port: number | { readonly name?: string; readonly number?: number } };

type Spec = {
  readonly selector: Labels & Selector;
  readonly podSelector: Selector;
  readonly ports: readonly { readonly name?: string; readonly port: number; readonly targetPort?: Port }[];
  readonly podMetricsEndpoints: readonly { readonly port?: string }[];
  readonly ingress?: readonly PolicyRule[];
  readonly egress?: readonly PolicyRule[];
  readonly scaleTargetRef: Target;
  readonly defaultBackend?: { readonly service: Backend };
  readonly rules?: readonly {
    readonly http?: { readonly paths: readonly { readonly backend: { readonly service: Backend } }[] };
    readonly backendRefs?: readonly Backend[];
  }[];
};

type Cluster = { readonly manifests: readonly Manifest[]; readonly pods: readonly Pod[] };

/** The check for each kind with references. Other kinds have none. */
const BY_KIND: Readonly<Record<string, (spec: Spec, cluster: Cluster) => string[]>> = {
  Service: ({ selector, ports }, { pods }) => {
    const chosen = choose(pods, { matchLabels: selector });
    return [
      ...chosen.findings,
      ...ports.flatMap(({ port, targetPort = port }) => portFindings(chosen.pods, targetPort)),
    ];
  },
  PodMonitor: ({ selector, podMetricsEndpoints }, { pods }) => {
    const chosen = choose(pods, selector);
    return [...chosen.findings, ...podMetricsEndpoints.flatMap(({ port }) => portFindings(chosen.pods, port))];
  },
  PodDisruptionBudget: ({ selector }, { pods }) => choose(pods, selector).findings,
  NetworkPolicy: policyFindings,
  HorizontalPodAutoscaler: ({ scaleTargetRef }, cluster) => targetFindings(scaleTargetRef, cluster),
  ScaledObject: ({ scaleTargetRef }, cluster) => targetFindings(scaleTargetRef, cluster),
  Ingress: ({ rules = [], defaultBackend }, { manifests }) => {
    const paths = rules.flatMap(({ http }) => http?.paths ?? []).map(({ backend }) => backend);
    return [...paths, ...(defaultBackend ? [defaultBackend] : [])].flatMap(({ service }) =>
      backendFindings(service, manifests),
    );
  },
  HTTPRoute: ({ rules = [] }, { manifests }) =>
    rules.flatMap(({ backendRefs = [] }) => backendRefs).flatMap((backend) => backendFindings(backend, manifests)),
};

/** Findings of all references to missing objects. */
export function checkReferences(manifests: readonly Manifest[]): string[] {
  const cluster = { manifests, pods: [...podsOf(manifests), ...PODS_OF_SCRIPTS] };
  const pointing = manifests.flatMap((manifest) =>
    (BY_KIND[manifest.kind]?.(manifest.spec as unknown as Spec, cluster) ?? []).map(
      (finding) => `${nameOf(manifest)} ${finding}`,
    ),
  );
  return [...pointing, ...podsOf(manifests).flatMap((pod) => podFindings(pod, manifests))];
}

function choose(pods: readonly Pod[], selector: Selector) {
  const chosen = pods.filter(({ labels }) => selects(selector, labels));
  return { pods: chosen, findings: chosen.length > 0 ? [] : [`selects no pod by ${JSON.stringify(selector)}`] };
}

function portFindings(pods: readonly Pod[], wanted: Port | undefined): string[] {
  const opens = ({ containers }: Pod['spec']) =>
    containers.some(({ ports = [] }) =>
      ports.some(({ name, containerPort }) => wanted === name || wanted === containerPort),
    );
  return pods.flatMap(({ owner, spec }) =>
    wanted === undefined || opens(spec) ? [] : `names port ${wanted}, which ${owner} does not open`,
  );
}

/** Only peers in the same namespace are checked; pods of other namespaces and addresses are not in the manifests. */
function policyFindings({ podSelector, ingress = [], egress = [] }: Spec, { pods }: Cluster): string[] {
  const chosen = choose(pods, podSelector);
  const isHere = ({ podSelector, namespaceSelector }: Peer) =>
    podSelector !== undefined && namespaceSelector === undefined;
  const peersOf = (peers: readonly Peer[] = []) =>
    peers.filter(isHere).map(({ podSelector = {} }) => choose(pods, podSelector));
  return [
    ...chosen.findings,
    ...ingress.flatMap(({ from, ports = [] }) => [
      ...peersOf(from).flatMap(({ findings }) => findings),
      ...ports.flatMap(({ port }) => portFindings(chosen.pods, port)),
    ]),
    ...egress.flatMap(({ to, ports = [] }) =>
      peersOf(to).flatMap((peer) => [...peer.findings, ...ports.flatMap(({ port }) => portFindings(peer.pods, port))]),
    ),
  ];
}

/** A scale target must exist, must not set `replicas`, and must have exactly one autoscaler. */
function targetFindings({ kind = 'Deployment', name }: Target, { manifests }: Cluster): string[] {
  const target = manifests.find((manifest) => manifest.kind === kind && manifest.metadata.name === name);
  if (!target) return [`scales ${kind} ${name}, which is not there`];
  const scalers = manifests.filter(({ kind: scaler, spec }) => {
    const { scaleTargetRef } = (spec ?? {}) as Partial<Spec>;
    return ['HorizontalPodAutoscaler', 'ScaledObject'].includes(scaler) && scaleTargetRef?.name === name;
  });
  return [
    ...(scalers.length === 1 ? [] : [`shares ${kind} ${name} with another autoscaler`]),
    ...('replicas' in (target.spec ?? {}) ? [`scales ${kind} ${name}, which sets its replicas itself`] : []),
  ];
}

function backendFindings({ name, port }: Backend, manifests: readonly Manifest[]): string[] {
  const service = manifests.find(({ kind, metadata }) => kind === 'Service' && metadata.name === name);
  const wanted = typeof port === 'number' ? port : (port.name ?? port.number);
  const ports = (service?.spec as unknown as Spec | undefined)?.ports ?? [];
  const isOpen = ports.some((one) => one.port === wanted || one.name === wanted);
  return isOpen ? [] : [`leads to port ${wanted} of Service ${name}, which is not there`];
}

function podFindings({ owner, labels, spec }: Pod, manifests: readonly Manifest[]): string[] {
  const wanted = [
    ['ServiceAccount', spec.serviceAccountName],
    ['PriorityClass', spec.priorityClassName],
    ...(spec.volumes ?? []).flatMap(({ configMap, secret, persistentVolumeClaim }) => [
      ['ConfigMap', configMap?.name],
      ['Secret', secret?.secretName],
      ['PersistentVolumeClaim', persistentVolumeClaim?.claimName],
    ]),
  ];
  const isHere = (kind = '', name = '') =>
    manifests.some((manifest) => manifest.kind === kind && manifest.metadata.name === name);
  const isMadeByHand = (kind = '', name = '') => kind === 'Secret' && SECRETS_OF_OPERATORS.includes(name);
  const volumes = new Set(spec.volumes?.map(({ name }) => name));
  const mounts = spec.containers.flatMap(({ volumeMounts = [] }) => volumeMounts);
  return [
    ...wanted.flatMap(([kind, name]) =>
      name === undefined || isHere(kind, name) || isMadeByHand(kind, name)
        ? []
        : `${owner} wants ${kind} ${name}, which is not there`,
    ),
    ...mounts.flatMap(({ name }) => (volumes.has(name) ? [] : `${owner} mounts ${name}, which is none of its volumes`)),
    ...(spec.topologySpreadConstraints ?? []).flatMap(({ labelSelector }) =>
      selects(labelSelector, labels) ? [] : `${owner} spreads other pods than its own`,
    ),
  ];
}
