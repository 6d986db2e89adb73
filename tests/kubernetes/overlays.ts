/** Builds every overlay alone and with its components, as if listed under `components:`. */
import { execFile } from 'node:child_process';
import { cp, glob, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { type Manifest, readManifests } from './manifest.ts';
import { ROOT, runTool } from './tools.ts';

/** Components that replace another one. They are left out when all components are enabled together. */
const ALTERNATIVES = ['gke/http-only'];

/** Components that need another one, which an overlay may have already. */
const REQUIRED: Readonly<Record<string, string>> = { 'components/retrain': 'components/models-volume' };

type Kustomization = { readonly kind: string; readonly components?: readonly string[] };
export type Combination = { readonly name: string; readonly overlay: string; readonly components: readonly string[] };

/** Values for the overlay of GKE, which does not build without: registry, tag, domain and bucket. */
const GKE_SETTINGS = ['europe-west1-docker.pkg.dev/my-project/tensorgate', '1', 'photos.example.com', 'my-bucket'];

/** Copies the manifests and the model files that they include into a new folder. The caller removes it. */
export async function copyManifests(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'manifests-'));
  await cp(path.join(ROOT, 'kubernetes'), path.join(folder, 'kubernetes'), { recursive: true });
  for await (const file of glob('serving/models/{*,*/*}.{yaml,config}', { cwd: ROOT })) {
    await mkdir(path.join(folder, path.dirname(file)), { recursive: true });
    await cp(path.join(ROOT, file), path.join(folder, file));
  }
  await promisify(execFile)(path.join(folder, 'kubernetes/gke/settings.sh'), GKE_SETTINGS);
  return folder;
}

/** Builds a kustomization. Rejects with the error of kustomize. */
export async function build(folder: string): Promise<Manifest[]> {
  const { code, stdout, stderr } = await runTool('kustomize', ['build', folder]);
  if (code !== 0) throw new Error(stderr.trim());
  return readManifests(stdout);
}

/** Builds an overlay of the copied manifests with components enabled. */
export async function buildCombination(copy: string, { overlay, components }: Combination): Promise<Manifest[]> {
  const folder = await mkdtemp(path.join(copy, 'kubernetes/combination-'));
  await cp(path.join(copy, 'kubernetes', overlay), folder, { recursive: true });
  const file = path.join(folder, 'kustomization.yaml');
  const kustomization = parse(await readFile(file, 'utf8')) as Kustomization;
  const added = components.map((name) =>
    name.startsWith(`${overlay}/`) ? path.relative(overlay, name) : `../${name}`,
  );
  const all = [...(kustomization.components ?? []), ...added];
  await writeFile(file, JSON.stringify({ ...kustomization, components: all }));
  try {
    return await build(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Lists the combinations: each overlay alone, with each component, and with all components. */
export async function combinations(): Promise<Combination[]> {
  const kustomizations = await readKustomizations();
  const overlays = [...kustomizations].filter(([name, { kind }]) => kind === 'Kustomization' && name !== 'base');
  return overlays.flatMap(([overlay]) => {
    const has = included(overlay, kustomizations);
    const others = [...kustomizations].flatMap(([name, { kind }]) =>
      kind === 'Component' && !has.has(name) && ['components', overlay].includes(path.dirname(name)) ? name : [],
    );
    const within = new Set(others.flatMap((name) => [...included(name, kustomizations)]));
    const together = others.filter((name) => !within.has(name) && !ALTERNATIVES.includes(name));
    const sets = [[], ...others.map((name) => withRequired(name, has)), ...(together.length > 1 ? [together] : [])];
    return sets.map((components) => ({ name: [overlay, ...components].join(' + '), overlay, components }));
  });
}

/** A component behind the one that it needs, unless the overlay has that. */
function withRequired(name: string, has: ReadonlySet<string>): string[] {
  const required = REQUIRED[name];
  return required === undefined || has.has(required) ? [name] : [required, name];
}

/** All kustomizations and components under kubernetes/, by folder. */
async function readKustomizations(): Promise<Map<string, Kustomization>> {
  const cwd = path.join(ROOT, 'kubernetes');
  const files = (await Array.fromAsync(glob('**/kustomization.yaml', { cwd }))).sort();
  const read = async (file: string) => parse(await readFile(path.join(cwd, file), 'utf8')) as Kustomization;
  return new Map(await Promise.all(files.map(async (file) => [path.dirname(file), await read(file)] as const)));
}

/** The components that a kustomization includes, directly or through others. */
function included(name: string, kustomizations: ReadonlyMap<string, Kustomization>): Set<string> {
  const direct = kustomizations.get(name)?.components?.map((component) => path.join(name, component)) ?? [];
  return new Set(direct.flatMap((component) => [component, ...included(component, kustomizations)]));
}
