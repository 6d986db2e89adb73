/** The files of the gateway's image: what .dockerignore lets through, and the program started from them. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runCli } from '../cli.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** The compile cache lies in node_modules, which the copy shares with this checkout. */
const env = { NODE_DISABLE_COMPILE_CACHE: '1' };

type Rule = { readonly pattern: string; readonly included: boolean; readonly regExp: RegExp };

/** The rules of .dockerignore. A rule for a folder holds for all in it. */
async function readRules(): Promise<Rule[]> {
  const lines = (await readFile(path.join(ROOT, '.dockerignore'), 'utf8')).split('\n');
  return lines
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const pattern = line.replace(/^!/, '');
      const source = pattern
        .replaceAll('.', '\\.')
        .split('**/')
        .map((part) => part.replaceAll('*', '[^/]*'))
        .join('(?:.*/)?');
      return { pattern, included: line.startsWith('!'), regExp: new RegExp(`^${source}(?:/|$)`) };
    });
}

/** Copies the build context as Docker does: the last rule that matches a path decides. */
async function copyContext(to: string): Promise<void> {
  const rules = await readRules();
  const isIncluded = (file: string) => rules.findLast(({ regExp }) => regExp.test(path.relative(ROOT, file)))?.included;
  for (const { pattern } of rules.filter(({ included }) => included)) {
    const options = { recursive: true, filter: (file: string) => isIncluded(file) !== false };
    await cp(path.join(ROOT, pattern), path.join(to, pattern), options);
  }
}

describe("the gateway's image", () => {
  let image: string;
  before(async () => {
    image = await mkdtemp(path.join(tmpdir(), 'tensorgate-image-'));
    await copyContext(image);
    await symlink(path.join(ROOT, 'node_modules'), path.join(image, 'node_modules'));
  });
  after(() => rm(image, { recursive: true }));

  const run = (...args: string[]) => runCli(args, { env, program: path.join(image, 'gateway/cli/main.ts') });

  test('contains neither the drill, nor tests, nor versions of models', async () => {
    assert.deepEqual((await readdir(image)).sort(), [
      '.npmrc',
      'gateway',
      'node_modules',
      'package-lock.json',
      'package.json',
      'protos',
      'serving',
    ]);
    const files = await readdir(path.join(image, 'gateway'), { recursive: true });
    assert.ok(files.includes('cli/main.ts') && files.includes('cli/doctor/run.ts'));
    assert.deepEqual(
      files.filter((file) => /^cli\/drill\b(?!-)|\.test\.ts$|(^|\/)(\.|test-)/.test(file)),
      [],
    );
    const models = await readdir(path.join(image, 'serving/models'), { recursive: true });
    assert.ok(models.some((file) => file.endsWith('/model.yaml')));
    assert.deepEqual(
      models.filter((file) => /\.(onnx|pb|config)$/.test(file)),
      [],
    );
  });

  test('is without every file that a rule names', async () => {
    for (const { pattern, included } of await readRules()) {
      if (included || pattern.includes('*')) continue;
      assert.ok(existsSync(path.join(ROOT, pattern)), `.dockerignore: ${pattern} does not exist`);
      assert.ok(!existsSync(path.join(image, pattern)), pattern);
    }
  });

  test('contains every module that the gateway imports', async () => {
    const { code, stderr } = await run('serve');
    assert.match(stderr, /^TF_SERVING_HOST is not set.*\n$/);
    assert.equal(code, 2);
  });

  test('drill exits with 2 and says how to run it', async () => {
    for (const args of [[], ['--help'], ['https://predict.example.com', '--only', 'A1', '--key', 'k']]) {
      const { code, stdout, stderr } = await run('drill', ...args);
      assert.deepEqual([code, stdout], [2, '']);
      assert.equal(stderr, 'drill is not part of this image; run it from a checkout: ./tensorgate drill URL\n');
    }
    assert.doesNotMatch((await run('--help')).stdout, /drill/);
    assert.match((await runCli(['--help'])).stdout, /drill/);
  });
});
