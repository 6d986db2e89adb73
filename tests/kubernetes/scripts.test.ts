/** The scripts, with stand-ins for kubectl, docker and gcloud in PATH. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { glob, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { options, ROOT, TOOLS } from './tools.ts';

/** What macOS does not have: its bash is 3.2, its make 3.81, and sed, xargs, date and readlink are those of BSD. */
const MISSING_ON_MACOS: readonly (readonly [what: string, pattern: RegExp])[] = [
  ['sed knows no \\t', /\bsed\b[^|\n]*\\t/],
  ['sed -i needs a suffix', /\bsed -i(?!\.)/],
  ['xargs runs nothing for empty input by itself', /--no-run-if-empty|xargs -r\b/],
  ['readlink has no -f', /\breadlink -f\b/],
  ['date has no -d', /\bdate (-d|--date)\b/],
  ['timeout is not installed', /(^|[|;&]\s*)timeout /m],
  ['bash has no mapfile', /\b(mapfile|readarray)\b/],
  ['bash has no associative arrays', /\bdeclare -A\b/],
  ['bash cannot change the case of a variable', /\$\{\w+(,,|\^\^)\}/],
  ['an empty array is unbound', /=\(\)/],
];

test('F30: scripts and Makefile use nothing that macOS lacks', async () => {
  const files = await Array.fromAsync(glob(['Makefile', '.ci/run', 'kubernetes/**/*.sh'], { cwd: ROOT }));
  assert.ok(files.length > 8);
  for (const file of files) {
    const text = await readFile(path.join(ROOT, file), 'utf8');
    for (const [what, pattern] of MISSING_ON_MACOS) assert.doesNotMatch(text, pattern, `${file}: ${what}`);
  }
});

/** Writes executable stand-ins into a folder and returns a PATH that begins with it. */
async function standIns(t: TestContext, programs: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'programs-'));
  t.after(() => rm(folder, { recursive: true }));
  for (const [name, text] of Object.entries(programs)) {
    await writeFile(path.join(folder, name), `#!/usr/bin/env bash\n${text}\n`, { mode: 0o755 });
  }
  return `${folder}:${process.env.PATH}`;
}

/** Runs a script of the repository. Never fails. */
function run(script: string, env: Readonly<Record<string, string>>, ...args: readonly string[]) {
  const { promise, resolve } = Promise.withResolvers<{ code: number; stdout: string; stderr: string }>();
  execFile(path.join(ROOT, script), args, { env: { ...process.env, ...env }, cwd: ROOT }, (error, stdout, stderr) =>
    resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
  );
  return promise;
}

test('F31: a node without the models folder is reported at once, with the command that helps', async (t) => {
  const PATH = await standIns(t, {
    kubectl: `case "$*" in
      *'rollout status'*) echo 'Waiting for deployment "tf-serving" rollout to finish' ;;
      *'get pods'*'eq .reason "ContainerCreating"'*) echo tf-serving-1 ;;
      *'get events'*) echo 'tf-serving-1 FailedMount MountVolume.SetUp failed: hostPath type check failed: /x is not a directory' ;;
    esac`,
  });
  const { code, stderr } = await run('kubernetes/rollout.sh', { PATH, TIMEOUT: '20' });
  assert.equal(code, 1);
  assert.match(stderr, /^tf-serving-1 FailedMount .*hostPath type check failed: \/x is not a directory\n/);
  assert.match(stderr, /Run: kubectl apply -k kubernetes\/kind, which takes the models in the images\./);
});

test('F31: without a models volume a push is refused with the command that adds one', async (t) => {
  const PATH = await standIns(t, {
    kubectl: `case "$*" in
      *'get pods'*) echo 'gateway-1 tensorgate/gateway:local' ;;
      *'get persistentvolumeclaim'*) exit 1 ;;
    esac`,
  });
  const { code, stderr } = await run('kubernetes/models.sh', { PATH }, 'list');
  assert.equal(code, 1);
  assert.match(stderr, /the models are in the images here.*kubectl apply -k kubernetes\/kind-models/);
});

test('a verdict on a cluster reads the metrics of every running gateway, unless it says where they are', async (t) => {
  const PATH = await standIns(t, {
    kubectl: `case "$*" in
      *'get pods'*podIP*) echo '10.0.0.7 fd00::8' ;;
      *'get pods'*) echo 'gateway-1 tensorgate/gateway:local' ;;
      *'exec gateway-1'*stat*) echo 65532 ;;
      *create*) cat >/dev/null ;;
      *'exec models-command-'*) printf '%s ' "$@" ;;
    esac`,
  });
  const { stdout } = await run('kubernetes/models.sh', { PATH }, 'verdict', 'pets');
  const addresses = '--metrics http://10.0.0.7:9697/metrics --metrics http://[fd00::8]:9697/metrics';
  assert.ok(stdout.endsWith(`main.ts models verdict pets ${addresses} `), stdout);
  const other = await run('kubernetes/models.sh', { PATH }, 'verdict', 'pets', '--prometheus', 'http://p:9090');
  assert.ok(other.stdout.endsWith('models verdict pets --prometheus http://p:9090 '), other.stdout);
});

const GCLOUD = `case "$*" in
  *'clusters list'*) echo europe-west1 ;;
  *'addresses describe'*value*) echo 203.0.113.7 ;;
esac`;
const KUBECTL = `case "$*" in
  *'apply --kustomize'*) ${TOOLS}/bin/kustomize build "\${@: -1}" ;;
  *'rollout status'*) echo successfully rolled out ;;
esac`;

for (const [what, env, wanted, unwanted] of [
  ['without a domain by plain HTTP', {}, /gateway:9\n/, /kind: ManagedCertificate/],
  ['with a domain and its certificate', { DOMAIN: 'a.example.org' }, /- a\.example\.org\n/, /none\.invalid/],
] as const) {
  test(`F31: deploy.sh deploys ${what}, and changes no file`, options, async (t) => {
    const PATH = await standIns(t, {
      gcloud: GCLOUD,
      kubectl: KUBECTL,
      docker: '',
      'gke-gcloud-auth-plugin': '',
      curl: 'echo 200',
    });
    const settings = path.join(ROOT, 'kubernetes/gke/settings.yaml');
    const before = await readFile(settings, 'utf8');
    const given = { PATH, PROJECT: 'p', CLUSTER: 'c', TAG: '9', ...env };
    const { code, stdout, stderr } = await run('kubernetes/gke/deploy.sh', given);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /image: europe-west1-docker\.pkg\.dev\/p\/tensorgate\/tf-serving:9\n/);
    assert.match(stdout, wanted);
    assert.doesNotMatch(stdout, unwanted);
    assert.equal(await readFile(settings, 'utf8'), before);
  });
}
