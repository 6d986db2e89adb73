/** Holds the layers of the gateway: imports point down the table, never up, and never in a circle. */
import assert from 'node:assert/strict';
import { glob, readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';

const STAGES = ['admission', 'fetch', 'image', 'tensor', 'model', 'explain', 'scores', 'backend'];

/**
 * The layers from top to bottom, and what each may import besides itself, `domain/` and `errors.ts`. docs/architecture.md
 * shows them as a picture.
 */
const LAYERS: Readonly<Record<string, readonly string[]>> = {
  cli: [
    'main.ts',
    'config',
    'wiring',
    'http',
    'observe',
    'pipeline',
    'model',
    'backend',
    'fetch',
    'image',
    'access',
    'machine',
  ],
  'main.ts': ['app.ts', 'greeting.ts', 'config', 'door', 'observe', 'model', 'backend', 'machine'],
  'app.ts': ['wiring', 'config', 'door', 'observe', 'model', 'admission', 'machine'],
  wiring: [
    'config',
    'page',
    'protocol',
    'open-inference',
    'http',
    'grpc',
    'door',
    'observe',
    'traffic',
    'pipeline',
    ...STAGES,
    'access',
    'machine',
  ],
  page: ['http'],
  protocol: ['predictions', 'open-inference', 'http', 'grpc', 'pipeline', 'tensor', 'explain', 'scores'],
  predictions: ['http', 'pipeline', 'tensor', 'explain', 'scores'],
  'open-inference': ['http', 'pipeline', 'tensor', 'explain'],
  http: ['door', 'observe', 'model', 'machine'],
  grpc: ['door'],
  door: ['observe', 'access', 'machine'],
  observe: ['traffic', 'pipeline', 'tensor', 'image', 'model', 'scores'],
  traffic: ['pipeline', 'tensor', 'model', 'scores', 'machine'],
  pipeline: [...STAGES, 'machine'],
  'greeting.ts': ['config', 'model'],
  config: ['access'],
  access: ['machine'],
  backend: ['tensor'],
  admission: [],
  fetch: [],
  image: [],
  tensor: [],
  model: [],
  explain: [],
  scores: [],
  machine: [],
  domain: [],
  'errors.ts': [],
};

const ROOT = path.resolve(import.meta.dirname, '../gateway');
const files = (await Array.fromAsync(glob('**/*.ts', { cwd: ROOT }))).filter((file) => !file.endsWith('.test.ts'));

/** The gateway's files that a file imports, types included, by their path in gateway/. */
async function importsOf(file: string): Promise<string[]> {
  const text = await readFile(path.join(ROOT, file), 'utf8');
  return [...text.matchAll(/(?:from |import |import\()'(\.[^']+)'/g)].map(([, target = '']) =>
    path.relative(ROOT, path.resolve(ROOT, path.dirname(file), target)),
  );
}

const layerOf = (file: string) => file.split('/')[0] ?? '';

/** `protocol/predict` of `protocol/predict/routes.ts`; undefined for files of no protocol. */
const protocolOf = (file: string) => /^protocol\/[^/]+/.exec(file)?.[0];

const PAGE = await readFile(path.resolve(ROOT, '../docs/architecture.md'), 'utf8');

/** `main` of `main.ts`. */
const nameOf = (layer: string) => layer.replace('.ts', '');

/** The table by the names of the page, without folders that are still to come. */
const ALLOWED: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries(LAYERS).map(([layer, others]) => [
    nameOf(layer),
    others.filter((other) => files.some((file) => layerOf(file) === other)).map(nameOf),
  ]),
);

test('every import is one that the table of layers allows', async () => {
  const wrong: string[] = [];
  for (const file of files) {
    const layer = layerOf(file);
    const allowed = LAYERS[layer];
    assert.ok(
      allowed,
      `gateway/${layer}: add it to LAYERS in tests/imports.test.ts, and to the table of docs/architecture.md`,
    );
    for (const target of await importsOf(file)) {
      const other = layerOf(target);
      const isAllowed = other === layer || other === 'domain' || other === 'errors.ts' || allowed.includes(other);
      const isOtherProtocol =
        protocolOf(target) !== undefined && layer === 'protocol' && protocolOf(target) !== protocolOf(file);
      if (!isAllowed || isOtherProtocol) wrong.push(`${file} imports ${target}`);
    }
  }
  assert.deepEqual(wrong, []);
  assert.ok(files.length > 100);
});

test('the table of layers points down only', () => {
  const order = Object.keys(LAYERS);
  for (const [layer, allowed] of Object.entries(LAYERS)) {
    for (const other of allowed) {
      if (!order.includes(other)) continue; // a folder that is still to come
      const isBelow = order.indexOf(other) > order.indexOf(layer);
      assert.ok(isBelow, `${layer} may import ${other}, which is above it`);
    }
  }
});

test('docs/architecture.md has the same table', () => {
  const rows = [...PAGE.matchAll(/^\| `gateway\/([\w.-]+)\/?` \| .* \| (.*)\|$/gm)].map(([, layer = '', cell = '']) => {
    const names = cell.split(',').flatMap((name) => name.trim() || []);
    return [nameOf(layer), names.flatMap((name) => (name === 'the stages' ? STAGES : name))] as const;
  });
  assert.deepEqual(new Map(rows), ALLOWED);
});

test('the picture of docs/architecture.md has only arrows that the table allows', () => {
  const [, picture = ''] = /```mermaid\n(.*?)```/s.exec(PAGE) ?? [];
  let arrows = 0;
  for (const line of picture.split('\n')) {
    const names = line.split(' --> ').map((part) => part.trim().split(' '));
    for (const [index, [to = '']] of names.slice(1).entries()) {
      const from = names[index]?.at(-1) ?? '';
      const allowed = ['domain', 'errors', ...(ALLOWED.get(from) ?? [])];
      assert.ok(allowed.includes(to === 'stages' ? 'fetch' : to), `${from} --> ${to}`);
      arrows += 1;
    }
  }
  assert.ok(arrows > 10);
});

test('no file imports itself through others', async () => {
  const imports = new Map(await Promise.all(files.map(async (file) => [file, await importsOf(file)] as const)));
  const done = new Set<string>();
  function visit(file: string, trail: readonly string[]): void {
    assert.ok(!trail.includes(file), `a circle of imports: ${[...trail, file].join(' -> ')}`);
    if (done.has(file)) return;
    for (const target of imports.get(file) ?? []) visit(target, [...trail, file]);
    done.add(file);
  }
  for (const file of files) visit(file, []);
});

test('only config/read.ts reads the environment', async () => {
  for (const file of files.filter((name) => name !== 'config/read.ts')) {
    assert.doesNotMatch(await readFile(path.join(ROOT, file), 'utf8'), /process\.env/, file);
  }
});
