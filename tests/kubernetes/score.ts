/** kube-score's opinion of the manifests. */
import { type Manifest, writeManifests } from './manifest.ts';
import { runTool } from './tools.ts';

const KUBERNETES_VERSION = 'v1.34';
/** kube-score's grades: 1 critical, 5 warning, 7 almost, 10 fine. */
const FINE_GRADE = 10;

/** Its checks that do not hold here, and why. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  'container-image-pull-policy': 'tags are of fixed versions, and a kind cluster has images that no registry has',
  'container-ephemeral-storage-request-and-limit': 'pods write nothing: the root is read-only, there is no emptyDir',
  'deployment-has-host-podantiaffinity': 'topologySpreadConstraints spread the pods, over nodes and zones',
  'deployment-replicas': "they are the autoscaler's, and kube-score does not know that of KEDA",
  'horizontalpodautoscaler-replicas': 'kind starts with one pod of each, as much as a laptop has',
  'networkpolicy-targets-pod': 'references.ts asks the same, and knows the pods that scripts make',
  'pod-probes-identical': 'TF-Serving has one question to ask; its liveness is only more patient than its readiness',
};

type Report = {
  readonly object_name: string;
  readonly checks: readonly {
    readonly check: { readonly id: string };
    readonly grade: number;
    readonly skipped: boolean;
    readonly comments: readonly { readonly path: string; readonly summary: string }[] | null;
  }[];
};

/** What kube-score finds, but for the exceptions. */
export async function checkScore(manifests: readonly Manifest[]): Promise<string[]> {
  // A limit of CPU slows a pod down while its node has nothing else to do.
  const flags = ['--ignore-container-cpu-limit', '--kubernetes-version', KUBERNETES_VERSION, '--output-format', 'json'];
  const { stdout, stderr } = await runTool('kube-score', ['score', ...flags, '-'], {
    input: writeManifests(manifests),
  });
  if (stdout === '') throw new Error(stderr);
  return (JSON.parse(stdout) as Report[]).flatMap(({ object_name, checks }) =>
    checks
      .filter(({ check, grade, skipped }) => !skipped && grade < FINE_GRADE && !Object.hasOwn(EXCEPTIONS, check.id))
      .flatMap(({ check, comments }) =>
        (comments ?? []).map(({ summary }) => `${object_name}: ${check.id}: ${summary}`),
      ),
  );
}
