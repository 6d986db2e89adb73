import assert from 'node:assert/strict';
import { glob, readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';

/** What each folder of the gateway may import besides itself, errors.ts and the plain types of pipeline/request.ts. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  access: [],
  fetch: [],
  image: [],
  tensor: [],
  model: [],
  backend: [],
  scores: [],
  pipeline: ['fetch', 'image', 'tensor', 'model', 'backend', 'scores'],
  observe: ['pipeline', 'model'],
  http: ['access', 'pipeline', 'model', 'scores', 'observe', 'lifecycle.ts'],
  cli: ['access', 'config.ts', 'main.ts', 'app.ts', 'model', 'backend', 'fetch', 'image', 'pipeline', 'observe'],
};

const ROOT = path.resolve(import.meta.dirname, '../gateway');
const files = (await Array.fromAsync(glob('**/*.ts', { cwd: ROOT }))).filter((file) => !file.endsWith('.test.ts'));

async function importsOf(file: string): Promise<string[]> {
  const text = await readFile(path.join(ROOT, file), 'utf8');
  return [...text.matchAll(/(?:from |import |import\()'(\.[^']+)'/g)].map(([, target = '']) =>
    path.relative(ROOT, path.resolve(ROOT, path.dirname(file), target)),
  );
}

test('imports point one way: along the line, never back', async () => {
  const wrong: string[] = [];
  for (const file of files) {
    const [folder = ''] = file.split('/');
    const allowed = MAY_IMPORT[folder];
    if (!file.includes('/')) continue;
    assert.ok(allowed, `gateway/${folder} has no row in the table of imports`);
    for (const target of await importsOf(file)) {
      const [other = ''] = target.split('/');
      const free = other === folder || target === 'errors.ts' || target === 'pipeline/request.ts';
      if (!free && !allowed.includes(other)) wrong.push(`${file} imports ${target}`);
    }
  }
  assert.deepEqual(wrong, []);
  assert.ok(files.length > 20);
});

test('errors.ts imports nothing, and only config.ts reads the environment', async () => {
  assert.deepEqual(await importsOf('errors.ts'), []);
  for (const file of files.filter((name) => name !== 'config.ts')) {
    assert.doesNotMatch(await readFile(path.join(ROOT, file), 'utf8'), /process\.env/, file);
  }
});
