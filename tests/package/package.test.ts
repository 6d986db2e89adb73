/** The npm package: what is in it, and that it serves from an empty folder. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { copyFile, glob, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, type TestContext, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { runCli } from '../cli.ts';
import { NEWEST } from '../committed-model.ts';
import { predict, predictImage, waitUntilReady } from '../gateway.ts';
import { type Packed, pack } from './packed.ts';

const UNREACHABLE = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ENOTCACHED/;
/** ONNX Runtime's libraries for three platforms take most of it. */
const MAX_BYTES = 70e6;

describe('the npm package', () => {
  let packed: Packed;
  before(async () => {
    packed = await pack();
  });
  after(() => packed[Symbol.asyncDispose]());

  test('has the program, the models and what they read, and no more', async () => {
    const files = await Array.fromAsync(glob('**/*.*', { cwd: packed.unpacked, exclude: ['node_modules/**'] }));
    for (const file of [
      'gateway/cli/main.js',
      'serving/embedded/main.js',
      `serving/models/clothing-model/${NEWEST}/model.onnx`,
      'client/client.d.ts',
    ]) {
      assert.ok(files.includes(file), file);
    }
    const unwanted = files.filter((file) =>
      /(?<!\.d)\.ts$|\.test\.|(^|\/)test|saved_model|tsconfig|training/.test(file),
    );
    assert.deepEqual(unwanted, []);
    const { size } = await stat(packed.archive);
    assert.ok(size < MAX_BYTES, `${size} bytes`);
  });

  test('has every program and file that its code names by URL', async () => {
    let named = 0;
    for await (const file of glob('**/*.js', { cwd: packed.unpacked, exclude: ['node_modules/**'] })) {
      const at = pathToFileURL(path.join(packed.unpacked, file));
      for (const [, name = ''] of (await readFile(at, 'utf8')).matchAll(/new URL\('([^']+)', import\.meta\.url\)/g)) {
        // The cache is made by the first start.
        if (!name.includes('node_modules')) assert.ok(existsSync(new URL(name, at)), `${file} names ${name}`);
        named += 1;
      }
    }
    assert.ok(named > 10);
  });

  test('depends on what the program imports, in exact versions, and on nothing of development', async () => {
    const manifest = JSON.parse(await readFile(path.join(packed.unpacked, 'package.json'), 'utf8'));
    assert.deepEqual(Object.keys(manifest.optionalDependencies).sort(), ['onnxruntime-node', 'pino-pretty']);
    assert.deepEqual(manifest.bundleDependencies, ['onnxruntime-node']);
    assert.deepEqual([manifest.devDependencies, manifest.scripts, manifest.files], [undefined, undefined, undefined]);
    for (const version of Object.values<string>(manifest.dependencies)) assert.match(version, /^\d+\.\d+\.\d+$/);
  });

  test('serves from an empty folder with npx: pages, pictures of every decoder and records', async (t) => {
    const started = await startWithNpx(t, packed);
    if (!started) return;
    await waitUntilReady(started.url);
    for (const page of ['/', '/docs', '/page/viewer/swagger-ui.css', '/openapi.json']) {
      assert.equal((await fetch(`${started.url}${page}`)).status, 200, page);
    }
    // A large JPEG is decoded by a thread, a PNG by a process, large JSON by another thread.
    const picture = sharp({ create: { width: 3000, height: 2000, channels: 3, background: 'teal' } });
    for (const image of [await picture.clone().jpeg().toBuffer(), await picture.clone().png().toBuffer()]) {
      const response = await predictImage(started, image);
      assert.equal(response.status, 200, await response.clone().text());
      assert.equal(Object.keys((await response.json()) as object).length, 10);
    }
    const record = { job: 'retired', duration: 445, poutcome: 'success' };
    const many = await predict(started, { instances: Array.from({ length: 20_000 }, () => record) }, '?model=credit');
    const { predictions } = (await many.json()) as { predictions: { credit: boolean }[] };
    assert.deepEqual([predictions.length, predictions[0]?.credit], [20_000, true]);
  });

  test('without ONNX Runtime, serve says how to install it and exits with 2', async () => {
    await rm(path.join(packed.unpacked, 'node_modules'), { recursive: true });
    await linkPackages(path.join(packed.unpacked, 'node_modules'), /^onnxruntime/);
    const { code, stderr } = await runCli(['serve'], { program: path.join(packed.unpacked, 'tensorgate') });
    assert.match(stderr, /^TF_SERVING_HOST is not set, and onnxruntime-node is not installed: .*\n$/);
    assert.equal(code, 2);
  });

  test('says which Node it needs on an older one', async () => {
    const older = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '22.22.1' } })`;
    const args = [
      '--import',
      `data:text/javascript,${encodeURIComponent(older)}`,
      path.join(packed.unpacked, 'tensorgate'),
    ];
    await assert.rejects(
      promisify(execFile)(process.execPath, args),
      (error: Error & { code: number; stderr: string }) => {
        assert.equal(error.stderr, 'tensorgate needs Node 24.11 or later, and this is Node 22.22.1\n');
        return error.code === 2;
      },
    );
  });
});

test('a package that npm pack made alone says how to make one', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'tensorgate-pack-'));
  t.after(() => rm(folder, { recursive: true }));
  for (const file of ['package.json', 'tensorgate']) {
    await copyFile(path.join(import.meta.dirname, '../..', file), path.join(folder, file));
  }
  const { code, stderr } = await runCli(['serve'], { program: path.join(folder, 'tensorgate') });
  assert.match(stderr, /`make package` makes one/);
  assert.equal(code, 2);
});

/** Makes a node_modules with the packages of this checkout, except some. */
async function linkPackages(folder: string, except: RegExp): Promise<void> {
  await mkdir(folder);
  const own = path.join(import.meta.dirname, '../../node_modules');
  for (const name of await readdir(own)) {
    if (!except.test(name)) await symlink(path.join(own, name), path.join(folder, name));
  }
}

type Started = { readonly url: string };

/** Runs `npx ARCHIVE serve` in an empty folder. Skips the test and resolves to undefined if the registry cannot be reached. */
async function startWithNpx(t: TestContext, { folder, archive }: Packed): Promise<Started | undefined> {
  const empty = path.join(folder, 'empty');
  const cache = path.join(folder, 'npm-cache');
  await mkdir(empty);
  await mkdir(cache);
  // The installation lies in a cache of its own, so that it is removed. What is downloaded is kept in the user's.
  const { stdout } = await promisify(execFile)('npm', ['config', 'get', 'cache']);
  await mkdir(path.join(stdout.trim(), '_cacache'), { recursive: true });
  await symlink(path.join(stdout.trim(), '_cacache'), path.join(cache, '_cacache'));
  await writeFile(path.join(empty, '.npmrc'), 'prefer-offline=true\n');
  const child = spawn('npx', ['--yes', path.relative(empty, archive), 'serve'], {
    cwd: empty,
    env: {
      ...process.env,
      PATH: `${path.dirname(process.execPath)}${path.delimiter}${process.env.PATH}`,
      npm_config_cache: cache,
      NODE_COMPILE_CACHE: undefined, // it makes its own
      HOST: '127.0.0.1',
      PORT: '0',
      ADMIN_PORT: '0',
      TF_SERVING_HOST: '',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true, // npx, its shell and the gateway are stopped as one group
  });
  const closed = once(child, 'close');
  t.after(async () => {
    if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, 'SIGTERM');
    await closed;
  });
  return listening(t, child, closed);
}

async function listening(t: TestContext, child: ChildProcess, closed: Promise<unknown>): Promise<Started | undefined> {
  const { stdout, stderr } = child;
  assert.ok(stdout && stderr);
  let errors = '';
  stderr.on('data', (data) => {
    errors += data;
  });
  const port = Promise.withResolvers<number | undefined>();
  createInterface({ input: stdout }).on('line', (line) => {
    const entry = JSON.parse(line);
    if (entry.msg === 'listening') port.resolve(entry.port);
  });
  void closed.then(() => port.resolve(undefined));
  const found = await port.promise;
  if (found !== undefined) return { url: `http://127.0.0.1:${found}` };
  assert.match(errors, UNREACHABLE);
  t.skip('the npm registry cannot be reached');
  return undefined;
}
