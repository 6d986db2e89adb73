/** The client of the npm package in the projects of others: its types, the examples of docs/clients.md, and a page in a browser. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, readFile, rename, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { rolldown } from 'rolldown';
import { findClients } from '../clients/python.ts';
import { NEWEST, PICTURE } from '../committed-model.ts';
import { predictImage, type RunningGateway, startGateway } from '../gateway.ts';
import { type Origin, startOrigin } from '../origin.ts';
import { build } from '../package/packed.ts';
import { openPage, SKIP, startBrowser } from '../page/browser.ts';

const execute = promisify(execFile);
const ROOT = path.join(import.meta.dirname, '../..');
const CLIENTS = await readFile(path.join(ROOT, 'docs/clients.md'), 'utf8');
const UNREACHABLE = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ENOTCACHED/;

/** What a project may have its code compiled with: for bundlers without Node's types, and for Node without those of browsers. */
const COMPILERS = {
  browser: { module: 'esnext', moduleResolution: 'bundler', lib: ['es2022', 'dom', 'dom.iterable'], types: [] },
  node: { module: 'nodenext', lib: ['es2022'], types: ['node'] },
};

/** Uses of each type, right and wrong. */
const USES = `
import { createClient, type Model, TensorgateError } from 'tensorgate/client';
const client = createClient({ url: new URL('http://localhost:9696') });
export async function use(blob: Blob, bytes: Uint8Array, signal: AbortSignal): Promise<number | undefined> {
  const { data, modelVersion, requestId } = await client.predict(blob, { signal, top: 3, version: 2 });
  const scores: readonly (number | undefined)[] = [data['pants'], modelVersion];
  const listed = await client.predict(bytes, { format: 'list' });
  const name: string | undefined = listed.data.predictions[0]?.class;
  const { models }: { readonly models: readonly Model[] } = (await client.models({ timeoutMs: 100 })).data;
  await client.predict([blob, bytes]);
  await client.predict({ instances: [{ url: 'https://a.example' }, { tenure: 24 }, [1, 2]] });
  // @ts-expect-error no such form of scores
  await client.predict(blob, { scores: 'percent' });
  // @ts-expect-error the client needs an address
  createClient({});
  const error: unknown = [scores, name, models, requestId];
  return error instanceof TensorgateError && error.kind === 'overloaded' ? error.retryAfterMs : undefined;
}
`;

describe('the client of the package', () => {
  let built: Awaited<ReturnType<typeof build>>;
  let gateway: RunningGateway;
  let origin: Origin;
  let project: string;

  before(async () => {
    [built, gateway, origin] = await Promise.all([
      build(),
      startGateway({ FETCH_ALLOW_PRIVATE: 'true', CORS_ORIGINS: '*', TF_SERVING_HOST: '' }),
      startOrigin({ '/pants.jpg': PICTURE }),
    ]);
    project = path.join(built.folder, 'project');
    await mkdir(path.join(project, 'node_modules'), { recursive: true });
    // Nothing else is installed: the client has no dependencies.
    await rename(built.content, path.join(project, 'node_modules/tensorgate'));
    await symlink(path.join(ROOT, 'node_modules/@types'), path.join(project, 'node_modules/@types'));
    await writeFile(path.join(project, 'package.json'), '{ "type": "module" }');
    await writeFile(path.join(project, 'pants.jpg'), PICTURE);
    await gateway.ready();
  });
  after(async () => {
    await origin.close();
    assert.equal(await gateway.stop(), 0);
    await built[Symbol.asyncDispose]();
  });

  /** The example of the page in a language, with the addresses of this test. */
  function example(language: string): string {
    const [, code] = new RegExp(`\`\`\`${language}\\n(.*?)\`\`\``, 's').exec(CLIENTS) ?? [];
    assert.ok(code, `docs/clients.md has no example in ${language}`);
    return code.replaceAll('http://localhost:9696', gateway.url).replaceAll('https://example.com', origin.url);
  }

  /** Compiles the uses above, and in Node's project the example. */
  async function compile(tsc: string, kind: keyof typeof COMPILERS): Promise<void> {
    await writeFile(path.join(project, 'uses.ts'), USES);
    await writeFile(path.join(project, 'example.ts'), example('ts'));
    const compilerOptions = { ...COMPILERS[kind], target: 'es2022', strict: true, noEmit: true };
    const config = { compilerOptions, files: kind === 'node' ? ['uses.ts', 'example.ts'] : ['uses.ts'] };
    await writeFile(path.join(project, `tsconfig.${kind}.json`), JSON.stringify(config));
    await execute(process.execPath, [tsc, '-p', `tsconfig.${kind}.json`], { cwd: project }).catch(({ stdout }) =>
      assert.fail(stdout),
    );
  }

  test('its types compile with TypeScript 7, in projects for browsers and for Node', async () => {
    const tsc = path.join(ROOT, 'node_modules/typescript/bin/tsc');
    for (const kind of ['browser', 'node'] as const) await compile(tsc, kind);
  });

  test('its types compile with TypeScript 5, in projects for browsers and for Node', async (t) => {
    const tsc = await installTypeScript5(t, path.join(built.folder, 'typescript-5'));
    if (tsc === undefined) return;
    for (const kind of ['browser', 'node'] as const) await compile(tsc, kind);
  });

  test('the example in TypeScript prints what the gateway answers', async () => {
    await writeFile(path.join(project, 'example.ts'), example('ts'));
    const { stdout } = await execute(process.execPath, ['example.ts'], { cwd: project });
    const [first = '', best, credit = '', count, failure = ''] = stdout.trim().split('\n');
    const direct = await predictImage(gateway, PICTURE, {}, '?scores=probabilities');
    const scores = (await direct.json()) as Record<string, number>;
    assert.match(first, new RegExp(`^${scores.pants} ${NEWEST} [\\w-]+$`));
    assert.equal(scores[best ?? ''], Math.max(...Object.values(scores)));
    assert.match(credit, /^0\.\d+ (true|false)$/);
    assert.equal(count, '2');
    assert.match(failure, /^422 source_failed .+404/);
  });

  test('the example in Python prints the scores', async (t) => {
    const python = await findClients(['requests']);
    if ('missing' in python) return t.skip(python.missing);
    const { stdout } = await execute(python.program, ['-c', example('python')], { cwd: project });
    assert.match(stdout, /^\{('[\w-]+': -?\d+\.\d+(, )?){3}\}\n$/);
  });

  test('a bundler makes the example for browsers of it, which predicts from another origin', {
    skip: SKIP,
  }, async (t) => {
    const script = await bundle(project, example('js'));
    const page = await startOrigin({
      '/': (_, response) => response.setHeader('Content-Type', 'text/html').end(PAGE),
      '/page.js': (_, response) => response.setHeader('Content-Type', 'text/javascript').end(script),
    });
    t.after(() => page.close());
    const browser = await startBrowser();
    t.after(() => browser.close());
    const opened = await openPage(t, browser, page.url);
    await opened.page.locator('input').setInputFiles(path.join(project, 'pants.jpg'));
    const shows = (text: RegExp) => opened.page.locator('output', { hasText: text }).waitFor();
    await shows(/^[\w-]+ \d\.\d\d, [\w-]+ \d\.\d\d, [\w-]+ \d\.\d\d$/);
    await opened.page
      .locator('input')
      .setInputFiles({ name: 'a.txt', mimeType: 'text/plain', buffer: Buffer.from('text') });
    await shows(/image/);
    assert.deepEqual(opened.faults, []);
  });
});

const PAGE =
  '<!doctype html><link rel="icon" href="data:,"><input type="file"><output></output><script type="module" src="page.js"></script>';

/** One script without imports. Fails where the bundler misses anything. */
async function bundle(folder: string, code: string): Promise<string> {
  await writeFile(path.join(folder, 'page.js'), code);
  const onwarn = ({ message = '' }) => assert.fail(message);
  const bundler = await rolldown({ input: path.join(folder, 'page.js'), cwd: folder, platform: 'browser', onwarn });
  const { output } = await bundler.generate({ format: 'esm' });
  await bundler.close();
  assert.deepEqual([output.length, output[0].imports], [1, []]);
  assert.doesNotMatch(output[0].code, /\b(process|Buffer|require|global)\b/);
  return output[0].code;
}

/** Resolves to its tsc. Skips the test and resolves to undefined if the registry cannot be reached. */
async function installTypeScript5(t: TestContext, folder: string): Promise<string | undefined> {
  const options = ['--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];
  try {
    await execute('npm', ['install', '--prefix', folder, ...options, 'typescript@5.9.3']);
    return path.join(folder, 'node_modules/typescript/bin/tsc');
  } catch (error) {
    assert.match((error as { readonly stderr: string }).stderr, UNREACHABLE);
    t.skip('the npm registry cannot be reached');
    return undefined;
  }
}
