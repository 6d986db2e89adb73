/** Checks every field against the schemas of Kubernetes and of the operators' custom resources. */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { type Manifest, nameOf, writeManifests } from './manifest.ts';
import { ROOT, runTool, TOOLS } from './tools.ts';

const SCHEMAS = path.join(TOOLS, 'schemas');
const LOCATIONS = [
  `${SCHEMAS}/{{.NormalizedKubernetesVersion}}/{{.ResourceKind}}{{.KindSuffix}}.json`,
  `${SCHEMAS}/crds/{{.Group}}-{{.ResourceKind}}-{{.ResourceAPIVersion}}.json`,
].flatMap((location) => ['-schema-location', location]);

type Report = {
  readonly resources?: readonly {
    readonly kind: string;
    readonly name: string;
    readonly msg: string;
  }[];
};

/**
 * GKE publishes no schemas of its resources. They are checked against the types of the npm package
 * @kubernetes-models/gke.
 */
const isGke = ({ apiVersion }: Manifest) => /^(cloud\.google\.com|networking\.gke\.io)\//.test(apiVersion);

/** Findings of unknown, missing and mistyped fields, and of kinds without a schema. */
export async function checkSchema(manifests: readonly Manifest[]): Promise<string[]> {
  const ours = writeManifests(manifests.filter((manifest) => !isGke(manifest)));
  const versions = (await readdir(SCHEMAS)).filter((folder) => folder !== 'crds');
  const findings = await Promise.all(versions.map((version) => checkVersion(version, ours)));
  return [...findings.flat(), ...(await checkGke(manifests.filter(isGke)))];
}

async function checkVersion(version: string, input: string): Promise<string[]> {
  const args = ['-strict', '-output', 'json', '-kubernetes-version', version.slice(1), ...LOCATIONS];
  const { stdout, stderr } = await runTool('kubeconform', args, { input });
  if (stdout === '') throw new Error(stderr);
  const { resources = [] } = JSON.parse(stdout) as Report;
  return resources.map(({ kind, name, msg }) => `${kind} ${name}: ${msg} (${version})`);
}

/** Writes the manifests as typed literals: the TypeScript compiler rejects unknown, missing and mistyped properties. */
async function checkGke(manifests: readonly Manifest[]): Promise<string[]> {
  if (manifests.length === 0) return [];
  const folder = await mkdtemp(path.join(tmpdir(), 'gke-'));
  try {
    await symlink(path.join(TOOLS, 'node_modules'), path.join(folder, 'node_modules'));
    await writeFile(path.join(folder, 'manifests.ts'), manifests.map(asTypeScript).join('\n'));
    const errors = await compile(folder);
    return errors.map(
      ({ line, message }) => `${manifests.map(nameOf)[Math.floor((line - 1) / LINES_EACH)]}: ${message}`,
    );
  } finally {
    await rm(folder, { recursive: true });
  }
}

const LINES_EACH = 2;

function asTypeScript(manifest: Manifest, index: number): string {
  const { apiVersion, kind } = manifest;
  return [
    `import type { I${kind} as Kind${index} } from '@kubernetes-models/gke/${apiVersion}/${kind}';`,
    `export const manifest${index}: Kind${index} = ${JSON.stringify(manifest)};`,
  ].join('\n');
}

async function compile(cwd: string): Promise<{ line: number; message: string }[]> {
  const tsc = path.join(ROOT, 'node_modules/.bin/tsc');
  const args = '--noEmit --strict --skipLibCheck --pretty false manifests.ts'.split(' ');
  const failure = await promisify(execFile)(tsc, args, { cwd }).then(
    () => undefined,
    (error: Error & { readonly stdout: string }) => error,
  );
  if (!failure) return [];
  const errors = [...failure.stdout.matchAll(/^manifests\.ts\((\d+),\d+\): error (.+)$/gm)];
  if (errors.length === 0) throw failure;
  return errors.map(([, line, message = '']) => ({ line: Number(line), message }));
}
