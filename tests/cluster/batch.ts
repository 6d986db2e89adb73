/** The Indexed Job of components/batch: three pods predict a folder, and one of them is killed in the middle. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import type { Row } from '../../gateway/cli/batch/row.ts';
import { kubectl, NAMESPACE, ROOT, run, until } from './kubectl.ts';

const FILES = 'tensorgate-files';
const PICTURES = 300;
/** A folder of the node, as the volume of the claim `batch` and in the pod that fills it. */
const HOST_PATH = { path: '/var/lib/tensorgate/batch', type: 'DirectoryOrCreate' };

const VOLUME = {
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: { name: 'tensorgate-batch' },
  spec: {
    capacity: { storage: '10Gi' },
    accessModes: ['ReadWriteMany'],
    claimRef: { namespace: NAMESPACE, name: 'batch' },
    hostPath: HOST_PATH,
  },
};

/** Writes and reads the folder as root, which the namespace of the gateway forbids. */
const FILES_POD = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'files', namespace: FILES },
  spec: {
    terminationGracePeriodSeconds: 0,
    containers: [
      {
        name: 'files',
        image: 'tensorgate/gateway:local',
        command: ['sleep', 'infinity'],
        securityContext: { runAsUser: 0 },
        volumeMounts: [{ name: 'data', mountPath: '/data' }],
      },
    ],
    volumes: [{ name: 'data', hostPath: HOST_PATH }],
  },
};

const create = (object: object) => run('bash', '-c', 'kubectl create --filename - <<< "$0"', JSON.stringify(object));
const inFiles = (line: string) => run('kubectl', 'exec', '--namespace', FILES, 'files', '--', 'bash', '-euc', line);

/** Makes the folder with copies of the parity pictures. */
async function makeFolder(undo: AsyncDisposableStack): Promise<void> {
  await run('kubectl', 'create', 'namespace', FILES);
  undo.defer(async () => void (await run('kubectl', 'delete', 'namespace', FILES)));
  await create(FILES_POD);
  await run('kubectl', 'wait', '--namespace', FILES, '--for=condition=Ready', 'pod/files', '--timeout=2m');
  undo.defer(async () => void (await inFiles('rm -rf /data/*')));
  await inFiles(`rm -rf /data/*; mkdir /data/input /data/output; pictures=(serving/models/clothing-model/parity/*.*g)
    for ((i = 0; i < ${PICTURES}; i++)); do
      picture=\${pictures[i % \${#pictures[@]}]}; cp "$picture" "/data/input/$i.\${picture##*.}"
    done; chown -R 65532:65532 /data`);
}

/** Applies the component to the running system. */
async function applyComponent(undo: AsyncDisposableStack): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'batch-overlay-'));
  undo.defer(() => rm(folder, { recursive: true }));
  const kustomization = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    namespace: NAMESPACE,
    components: [path.relative(folder, path.join(ROOT, 'kubernetes/components/batch'))],
    images: [{ name: 'tensorgate/gateway', newTag: 'local' }],
    // The volume has no class, and a cluster may have a default one.
    patches: [
      {
        target: { kind: 'PersistentVolumeClaim', name: 'batch' },
        patch: JSON.stringify([{ op: 'add', path: '/spec/storageClassName', value: '' }]),
      },
    ],
  };
  await writeFile(path.join(folder, 'kustomization.yaml'), JSON.stringify(kustomization));
  await create(VOLUME);
  undo.defer(async () => void (await run('kubectl', 'delete', 'pv', VOLUME.metadata.name)));
  await run('kubectl', 'apply', '--kustomize', folder);
  undo.defer(async () => void (await run('kubectl', 'delete', '--kustomize', folder, '--wait=true')));
}

/** How many results a shard has in its journal; 0 without one. */
const journaled = async (shard: number): Promise<number> =>
  Number(await inFiles(`cat /data/output/part-${shard}.ndjson.journal 2>/dev/null | tail -n +2 | wc -l`));

/** Runs the Job, kills the pod of the first shard in the middle, and checks the output of all three. */
export async function checkBatch(t: TestContext): Promise<void> {
  // Undone from the last to the first: a volume goes only after its claim.
  await using undo = new AsyncDisposableStack();
  await makeFolder(undo);
  await applyComponent(undo);
  await kubectl('patch', 'job', 'batch', '--patch', '{"spec":{"suspend":false}}');
  const done = await until('a fifth of the first shard', 120_000, async () => {
    const count = await journaled(0);
    return count >= PICTURES / 15 ? count : undefined;
  });
  const first = 'batch.kubernetes.io/job-completion-index=0';
  await kubectl('delete', 'pod', '--selector', first, '--force', '--grace-period=0');
  t.diagnostic(`killed with ${done} of ${PICTURES / 3} pictures in the journal`);
  await kubectl('wait', '--for=condition=complete', 'job/batch', '--timeout=5m');
  assert.match(await kubectl('logs', '--selector', first, '--tail=-1'), /goes on: \d+ of 100 are done/);
  const rows = (await inFiles('cat /data/output/part-*.ndjson')).split('\n').map((line) => JSON.parse(line) as Row);
  assert.deepEqual(
    rows.map(({ index, error }) => [index, error]).sort(([one = 0], [other = 0]) => Number(one) - Number(other)),
    Array.from({ length: PICTURES }, (_, index) => [index, undefined]),
  );
}
