/** The parts of a manifest that the checks read, and the pods of a list of manifests. schema.ts checks every field. */
import { parseAllDocuments } from 'yaml';

export type Labels = Readonly<Record<string, string>>;
export type Selector = {
  readonly matchLabels?: Labels;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
};

type HttpGet = { readonly host?: string; readonly port: string | number };
type Handler = {
  readonly httpGet?: HttpGet;
  readonly tcpSocket?: HttpGet;
  readonly sleep?: { readonly seconds: number };
};

export type SecurityContext = {
  readonly allowPrivilegeEscalation?: boolean;
  readonly appArmorProfile?: { readonly type: string };
  readonly capabilities?: { readonly add?: readonly string[]; readonly drop?: readonly string[] };
  readonly privileged?: boolean;
  readonly procMount?: string;
  readonly readOnlyRootFilesystem?: boolean;
  readonly runAsNonRoot?: boolean;
  readonly runAsUser?: number;
  readonly seccompProfile?: { readonly type: string };
  readonly seLinuxOptions?: { readonly type?: string; readonly user?: string; readonly role?: string };
  readonly sysctls?: readonly { readonly name: string }[];
  readonly windowsOptions?: { readonly hostProcess?: boolean };
};

export type Container = {
  readonly name: string;
  readonly image: string;
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
  readonly ports?: readonly { readonly name?: string; readonly containerPort: number; readonly hostPort?: number }[];
  readonly startupProbe?: Handler;
  readonly readinessProbe?: Handler;
  readonly livenessProbe?: Handler;
  readonly lifecycle?: { readonly preStop?: Handler; readonly postStart?: Handler };
  readonly resources?: { readonly requests?: Labels; readonly limits?: Labels };
  readonly securityContext?: SecurityContext;
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string; readonly subPath?: string }[];
};

export type Volume = {
  readonly name: string;
  readonly configMap?: { readonly name: string };
  readonly secret?: { readonly secretName: string };
  readonly persistentVolumeClaim?: { readonly claimName: string };
};

export type PodSpec = {
  readonly automountServiceAccountToken?: boolean;
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly hostIPC?: boolean;
  readonly hostNetwork?: boolean;
  readonly hostPID?: boolean;
  readonly priorityClassName?: string;
  readonly securityContext?: SecurityContext;
  readonly serviceAccountName?: string;
  readonly terminationGracePeriodSeconds?: number;
  readonly topologySpreadConstraints?: readonly { readonly labelSelector: Selector }[];
  readonly volumes?: readonly Volume[];
};

type PodTemplate = { readonly metadata?: { readonly labels?: Labels }; readonly spec: PodSpec };

export type Manifest = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: Labels };
  readonly automountServiceAccountToken?: boolean;
  readonly spec?: {
    readonly template?: PodTemplate;
    readonly jobTemplate?: { readonly spec: { readonly template: PodTemplate } };
    /** The parts of KServe's InferenceService: a pod's spec each, with labels beside it. */
    readonly transformer?: PodSpec & { readonly labels?: Labels };
    readonly predictor?: PodSpec & { readonly labels?: Labels };
  };
};

/** A pod that a manifest creates. */
export type Pod = { readonly owner: string; readonly labels: Labels; readonly spec: PodSpec };

/** Reads the manifests of a YAML stream. Throws the first syntax error. */
export function readManifests(text: string): Manifest[] {
  return parseAllDocuments(text).map((document) => {
    for (const error of document.errors) throw error;
    return document.toJS() as Manifest;
  });
}

/** Writes manifests as one YAML stream. Each document is JSON, which all YAML parsers read alike. */
export function writeManifests(manifests: readonly Manifest[]): string {
  return manifests.map((manifest) => JSON.stringify(manifest)).join('\n---\n');
}

/** The name of a manifest in findings. */
export function nameOf({ kind, metadata }: Manifest): string {
  return `${kind} ${metadata.name}`;
}

/** All pods of the manifests: bare pods, those of pod templates and job templates, and the parts of KServe's services. */
export function podsOf(manifests: readonly Manifest[]): Pod[] {
  return manifests.flatMap((manifest) => {
    const parts = [manifest.spec?.transformer, manifest.spec?.predictor].filter((part) => part !== undefined);
    if (parts.length > 0) return parts.map((spec) => ({ owner: nameOf(manifest), labels: spec.labels ?? {}, spec }));
    const bare = manifest.kind === 'Pod' ? (manifest as unknown as PodTemplate) : undefined;
    const template = bare ?? manifest.spec?.template ?? manifest.spec?.jobTemplate?.spec.template;
    return template?.spec?.containers
      ? [{ owner: nameOf(manifest), labels: template.metadata?.labels ?? {}, spec: template.spec }]
      : [];
  });
}

/** Whether a selector matches these labels. An empty selector matches all. */
export function selects({ matchLabels = {}, matchExpressions = [] }: Selector, labels: Labels): boolean {
  const fits = ({ key, operator, values = [] }: (typeof matchExpressions)[number]) => {
    const value = labels[key];
    if (operator === 'In') return value !== undefined && values.includes(value);
    if (operator === 'NotIn') return value === undefined || !values.includes(value);
    return (operator === 'Exists') === (value !== undefined);
  };
  return Object.entries(matchLabels).every(([key, value]) => labels[key] === value) && matchExpressions.every(fits);
}
