/** Checks the manifests with kube-score. */
import { type Manifest, writeManifests } from './manifest.ts';
import { runTool } from './tools.ts';

const KUBERNETES_VERSION = 'v1.34';
/** kube-score's grades: 1 critical, 5 warning, 7 almost, 10 fine. */
const FINE_GRADE = 10;

/** Checks of kube-score that are ignored, and why. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  'container-image-pull-policy': 'tags are fixed versions, and a kind cluster has local images that no registry has',
  'container-ephemeral-storage-request-and-limit':
    'the root is read-only; only training writes to an emptyDir, small files',
  'deployment-has-host-podantiaffinity': 'topologySpreadConstraints spread the pods, over nodes and zones',
  'deployment-replicas': 'the autoscaler sets them, and kube-score does not recognise KEDA',
  'horizontalpodautoscaler-replicas': 'the kind overlay starts with one pod of each, to fit on a laptop',
  'networkpolicy-targets-pod': 'references.ts checks the same, and knows the pods that scripts create',
  'pod-probes-identical': 'TF-Serving has one endpoint for both; liveness only allows more failures than readiness',
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

/** The findings of kube-score, without the exceptions. */
export async function checkScore(manifests: readonly Manifest[]): Promise<string[]> {
  // A CPU limit throttles a pod even when its node is idle.
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
