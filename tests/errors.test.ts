import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { IMAGE_ENV, predict, type RunningGateway, type Service, startGateway, startGatewayFor } from './gateway.ts';
import { type ModelServer, startClothingModel } from './model-server.ts';
import { modelsFolder } from './models.ts';
import { endless, type Origin, redirectTo, slowDrip, startOrigin } from './origin.ts';
import { checkRefusal, LIMITS, REFUSALS, type Refusal } from './refusals.ts';

const image = (name: string) => readFile(new URL(`golden/images/${name}`, import.meta.url));
const jpeg = await image('jpg-420.jpg');

let model: ModelServer;
let origin: Origin;
let gateway: RunningGateway;

before(async (t) => {
  origin = await startOrigin({
    '/good.jpg': jpeg,
    '/page.html': (_request, response) => response.setHeader('Content-Type', 'text/html').end('<html>log in</html>'),
    '/json': (_request, response) => response.end('{"image": false}'),
    '/empty': (_request, response) => response.end(),
    '/broken': (_request, response) => response.writeHead(500).end('oops'),
    '/loop': redirectTo('/loop'),
    '/to-private': redirectTo('http://10.0.0.1/x.jpg'),
    '/to-loopback': redirectTo('http://127.0.0.2/x.jpg'),
    '/to-file': redirectTo('file:///etc/passwd'),
    '/slow': slowDrip,
    '/endless': endless,
    '/big': (_request, response) => response.writeHead(200, { 'Content-Length': '10000000000' }).flushHeaders(),
    '/bomb.png': await image('bomb-png-50000x50000-declared.png'),
    '/picture.svg': await image('junk-svg.svg'),
  });
  model = await startClothingModel();
  gateway = await startGateway({
    TF_SERVING_HOST: model.target,
    MODELS: await modelsFolder(t as TestContext),
    // Of the private addresses only the test's own origin is allowed.
    FETCH_ALLOW: '127.0.0.1/32',
    FETCH_PORTS: `80,443,${origin.port}`,
    FETCH_TIMEOUT: '800ms',
    ...LIMITS,
    ...IMAGE_ENV,
    NODE_OPTIONS: `${IMAGE_ENV.NODE_OPTIONS} --import ${new URL('faults.ts', import.meta.url).href}`,
    COLLECT: '1',
  });
  await gateway.ready();
});

after(async () => {
  const code = await gateway.stop();
  model.close();
  await origin.close();
  assert.equal(code, 0);
});

const source = (url: string) => (gateway: Service) => predict(gateway, { url });
const page = (path: string) => (gateway: Service) => predict(gateway, { url: `${origin.url}${path}` });

const CASES: readonly Refusal[] = [
  ...REFUSALS,
  // By default names without public DNS are not looked up; with an entry in FETCH_ALLOW they are.
  ['a name that does not exist', source('http://localhost.localdomain.internal/'), 502, 'source_failed', /^url: /],
  ['a redirect to a private address', page('/to-private'), 403, 'source_forbidden', /^url: /],
  ['A25: a redirect to loopback', page('/to-loopback'), 403, 'source_forbidden', /^url: /],
  ['A28: a redirect to a file', page('/to-file'), 403, 'source_forbidden', /^url: /],
  ['B13: a redirect loop', page('/loop'), 502, 'source_failed', /redirects more than 10 times/],
  ['B12: a 404', page('/nowhere'), 422, 'source_failed', /status 404/],
  ['B12: a 500', page('/broken'), 502, 'source_failed', /status 500/],
  ['B14: an HTML page', page('/page.html'), 422, 'source_not_image', /not an image/],
  ['B14: JSON instead of an image', page('/json'), 422, 'source_not_image', /not an image/],
  ['B14: an empty body', page('/empty'), 422, 'source_not_image', /not an image/],
  ['B7: a slow drip', page('/slow'), 504, 'source_timeout', /in time/],
  ['B8: a Content-Length of 10 GB', page('/big'), 422, 'source_too_large', /^url: /],
  ['B9: an endless body', page('/endless'), 422, 'source_too_large', /^url: /],
  ['C5: 50,000 x 50,000 pixels', page('/bomb.png'), 422, 'image_too_large', /50000 x 50000/],
  ['C3: an SVG', page('/picture.svg'), 422, 'image_unsupported', /SVG/],
];

for (const refusal of CASES) {
  const [what, , status, kind] = refusal;
  test(`${what}: ${status} ${kind}`, async () => {
    const startedMs = performance.now();
    const requestId = await checkRefusal(gateway, refusal);
    const tookMs = performance.now() - startedMs;
    assert.ok(tookMs < 2500, `took ${tookMs} ms`);
    const lines = await gateway.linesOf(requestId);
    assert.deepEqual(
      lines.map((line) => line.kind),
      [kind],
      'exactly one log line, with the kind',
    );
  });
}

test('by default loopback is refused in every notation and receives no request', async (t) => {
  const strict = await startGatewayFor(t, { TF_SERVING_HOST: model.target, MODELS: await modelsFolder(t) });
  await strict.ready();
  const before = origin.hits.length;
  for (const host of [
    '127.0.0.1',
    'localhost',
    'LOCALHOST.',
    '2130706433',
    '0x7f.1',
    '0',
    '[::1]',
    '[::ffff:7f00:1]',
  ]) {
    const response = await predict(strict, { url: `http://${host}:${origin.port}/good.jpg` });
    const { kind } = (await response.json()) as { kind: string };
    assert.deepEqual([host, response.status, kind], [host, 403, 'source_forbidden']);
  }
  assert.equal(origin.hits.length, before);
});

test('a refused address, a closed port and an unknown name get the same detail', async () => {
  const urls = ['http://10.0.0.1/a.jpg', 'http://127.0.0.1:80/a.jpg', 'http://no-such-host.invalid/a.jpg'];
  const details = await Promise.all(
    urls.map(async (text) => ((await (await predict(gateway, { url: text })).json()) as { detail: string }).detail),
  );
  assert.equal(new Set(details).size, 1, details.join('\n'));
});

test('after all refusals the gateway predicts, and its memory has not grown', async (t) => {
  const metric = async (name: RegExp) => {
    const metrics = await gateway.metrics();
    return Number(new RegExp(`^${name.source} (\\S+)`, 'm').exec(metrics)?.[1]);
  };
  const quick = CASES.filter(([what]) => what !== 'B7: a slow drip');
  const round = async () => {
    for (const [, ask] of quick) await (await ask(gateway)).arrayBuffer();
  };
  /** The smallest of 5 sizes, each after a garbage collection: V8's own are rare, and a leak is never freed. */
  const smallestSize = async () => {
    const sizes: number[] = [];
    for (let index = 0; index < 5; index += 1) {
      await round();
      gateway.process.kill('SIGUSR2');
      await sleep(100);
      sizes.push(await metric(/process_resident_memory_bytes/));
    }
    return Math.min(...sizes);
  };
  // V8's young generation grows with the first load, up to the size that IMAGE_ENV sets.
  const youngGeneration = () => metric(/nodejs_heap_space_size_total_bytes\{space="new"\}/);
  await round();
  for (let rounds = 1; rounds < 60 && (await youngGeneration()) < 32e6; rounds += 1) await round();
  const beforeBytes = await smallestSize();
  const grownMb = ((await smallestSize()) - beforeBytes) / 1e6;
  t.diagnostic(`grew by ${grownMb.toFixed(1)} MB`);
  assert.ok(grownMb < 20, `grew by ${grownMb} MB`);
  assert.equal((await predict(gateway, { url: `${origin.url}/good.jpg` })).status, 200);
});

test('every kind is counted in the metrics', async () => {
  const metrics = await gateway.metrics();
  for (const [, , status, kind] of CASES) {
    assert.match(
      metrics,
      new RegExp(`^tensorgate_requests_total\\{route="[^"]+",status="${status}",kind="${kind}"\\} \\d+$`, 'm'),
    );
  }
});
