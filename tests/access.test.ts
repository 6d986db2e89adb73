/** API keys, rate limits, and the client address that limits are counted by. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { runCli } from './cli.ts';
import { type RunningGateway, type Service, startGateway, startGatewayFor } from './gateway.ts';
import { type ModelServer, startClothingModel } from './model-server.ts';
import { modelsFolder } from './models.ts';
import { until } from './until.ts';

const KEY = 'tg_shop-key-of-the-test';
const EXPIRED = 'tg_old-key-of-the-test';
const BUSY = 'tg_busy-key-of-the-test';
const DAILY = 'tg_daily-key-of-the-test';
const sha256 = (key: string) => createHash('sha256').update(key).digest('hex');

let model: ModelServer;
let settings: Record<string, string>;
let folder: string;
let gateway: RunningGateway;

before(async (t) => {
  folder = await mkdtemp(path.join(tmpdir(), 'keys-'));
  const keysFile = path.join(folder, 'keys.yaml');
  await writeFile(
    keysFile,
    `- name: shop
  sha256: ${sha256(KEY)}
- name: old
  sha256: ${sha256(EXPIRED)}
  expires: 2026-01-31
- name: busy
  sha256: ${sha256(BUSY)}
  rate: 3/h
- name: daily
  sha256: ${sha256(DAILY)}
  quota: 2
`,
  );
  model = await startClothingModel();
  settings = { TF_SERVING_HOST: model.target, MODELS: await modelsFolder(t as TestContext) };
  gateway = await startGateway({ ...settings, API_KEYS_FILE: keysFile, RATE_LIMIT: '1000/m' });
});

after(async () => {
  const code = await gateway.stop();
  model.close();
  await rm(folder, { recursive: true });
  assert.equal(code, 0);
});

/** A request that passes or fails the key and limit checks without further work: 404 with a key, 401 without. */
const request = ({ url }: Service, headers: Record<string, string> = {}) => fetch(`${url}/nowhere`, { headers });
const bearer = (key: string) => ({ Authorization: `Bearer ${key}` });
const statuses = async (responses: readonly Promise<Response>[]) =>
  (await Promise.all(responses)).map(({ status }) => status);

// D17 also lists a key of another tenant; the gateway has no tenants yet.
test('D17: a missing, wrong or expired key is 401 with WWW-Authenticate', async (t) => {
  const cases: readonly [Record<string, string>, RegExp][] = [
    [{}, /is needed/],
    [{ Authorization: 'Basic dXNlcjpwYXNz' }, /is needed/],
    [bearer('tg_wrong'), /not valid/],
    [bearer(`${KEY}x`), /not valid/],
    [{ 'X-API-Key': 'tg_wrong' }, /not valid/],
    [{ 'X-API-Key': '' }, /not valid/],
    [bearer(sha256(KEY)), /not valid/],
    [bearer(EXPIRED), /expired/],
  ];
  for (const [headers, detail] of cases) {
    const response = await fetch(`${gateway.url}/predict`, { method: 'POST', headers, body: '{}' });
    const problem = (await response.json()) as Record<string, string>;
    assert.deepEqual([response.status, problem.kind], [401, 'unauthenticated']);
    assert.match(problem.detail ?? '', detail);
    assert.match(response.headers.get('www-authenticate') ?? '', /^Bearer/);
  }
  assert.equal(model.calls.length, 0);
  t.diagnostic(`came: 401 for all ${cases.length}`);
});

test('D17: a valid key works in Authorization and in X-API-Key; the log has its name only', async () => {
  assert.deepEqual(await statuses([request(gateway, bearer(KEY)), request(gateway, { 'X-API-Key': KEY })]), [404, 404]);
  const response = await request(gateway, bearer(KEY));
  const [line] = await gateway.linesOf(response.headers.get('x-request-id'));
  assert.equal(line?.key, 'shop');
  const text = JSON.stringify(gateway.log);
  for (const key of [KEY, EXPIRED, 'tg_wrong']) {
    assert.ok(!text.includes(key) && !text.includes(sha256(key)));
  }
});

test('without CORS_ORIGINS no CORS header is sent', async () => {
  const { headers } = await request(gateway, { ...bearer(KEY), Origin: 'https://any.example' });
  assert.deepEqual(
    [...headers.keys()].filter((name) => /^access-control|^vary$/.test(name)),
    [],
  );
});

test('a key has the rate of its entry, sent in RateLimit headers; above it 429 quota with Retry-After', async () => {
  const first = await request(gateway, bearer(BUSY));
  assert.equal(first.headers.get('ratelimit-policy'), '"rate";q=3;w=3600');
  assert.match(first.headers.get('ratelimit') ?? '', /^"rate";r=2;t=3600$/);
  assert.deepEqual(await statuses([request(gateway, bearer(BUSY)), request(gateway, bearer(BUSY))]), [404, 404]);
  const over = await request(gateway, bearer(BUSY));
  assert.deepEqual([over.status, ((await over.json()) as { kind: string }).kind], [429, 'quota']);
  assert.match(over.headers.get('ratelimit') ?? '', /^"rate";r=0;t=3\d{3}$/);
  assert.match(over.headers.get('retry-after') ?? '', /^3\d{3}$/);
  assert.equal((await request(gateway, bearer(KEY))).status, 404, 'other keys are not limited');
});

test('a daily quota applies in addition to the rate', async () => {
  const first = await request(gateway, bearer(DAILY));
  assert.equal(first.headers.get('ratelimit-policy'), '"rate";q=1000;w=60, "quota";q=2;w=86400');
  assert.equal((await request(gateway, bearer(DAILY))).status, 404);
  const over = await request(gateway, bearer(DAILY));
  assert.equal(over.status, 429);
  assert.match(((await over.json()) as { detail: string }).detail, /2 requests in a day/);
});

test('G16, A13: X-Forwarded-For is used from trusted proxies only: a forged one does not evade the limit', async (t) => {
  const from = (running: Service, forwarded: string) => request(running, { 'X-Forwarded-For': forwarded });
  const start = (proxies: string) => startGatewayFor(t, { ...settings, RATE_LIMIT: '1/h', TRUSTED_PROXIES: proxies });
  const [closed, oneHop, byAddress] = await Promise.all([start('0'), start('1'), start('127.0.0.0/8,10.0.0.0/8')]);
  assert.deepEqual(await statuses([from(closed, '1.1.1.1')]), [404]);
  assert.deepEqual(
    await statuses([from(closed, '2.2.2.2'), request(closed)]),
    [429, 429],
    'X-Forwarded-For is ignored',
  );

  assert.equal((await from(oneHop, '6.6.6.6, 1.1.1.1')).status, 404);
  assert.equal((await from(oneHop, '7.7.7.7, 1.1.1.1')).status, 429, 'the entry that the client wrote is ignored');
  assert.equal((await from(oneHop, '6.6.6.6, 2.2.2.2')).status, 404, 'another client');
  assert.equal((await from(oneHop, '2001:db8:1:2::1')).status, 404);
  assert.equal((await from(oneHop, '2001:db8:1:2:ffff::9')).status, 429, 'the same /64 network');

  assert.equal((await from(byAddress, '6.6.6.6, 1.1.1.1, 10.0.0.7')).status, 404);
  assert.equal((await from(byAddress, '7.7.7.7, 1.1.1.1, 10.0.0.8')).status, 429);

  // A13: other spellings of the same clients and proxies.
  const again = [
    '1.1.1.1:50123',
    '"1.1.1.1:50124"',
    '[::ffff:1.1.1.1]:50125',
    '[2001:DB8:1:2::3]:50126',
    '2001:db8:1:2::%1',
  ];
  for (const client of again) assert.equal((await from(oneHop, client)).status, 429, client);
  assert.equal((await from(oneHop, '2002:0101:0101:1::1')).status, 429, 'the same IPv4 address over 6to4');
  assert.equal((await from(oneHop, '64:ff9b::1.1.1.1')).status, 429, 'and over NAT64');
  assert.equal((await from(oneHop, '64:ff9b::1.1.1.2')).status, 404, 'another client of NAT64');
  assert.equal((await from(oneHop, 'hidden')).status, 404);
  assert.equal((await from(oneHop, '_other')).status, 429, 'all without an address are one client');
  assert.equal((await from(byAddress, '8.8.8.8, 1.1.1.1:9, [::ffff:10.0.0.7]:443')).status, 429);
});

test('invalid files and settings stop the start; the error names the setting and does not quote the file', async () => {
  const file = path.join(folder, 'wrong.yaml');
  await writeFile(file, `- name: shop\n  sha256: ${KEY}\n`);
  const cases: readonly [Record<string, string>, RegExp][] = [
    [{ API_KEYS_FILE: file }, /^API_KEYS_FILE: 0\.sha256: needs 64 lower-case hexadecimal digits/],
    [{ TRUSTED_PROXIES: 'nginx' }, /^TRUSTED_PROXIES=nginx: needs /],
    [{ TLS_CERT_FILE: file, TLS_KEY_FILE: file }, /^TLS_CERT_FILE, TLS_KEY_FILE: /],
  ];
  const start = async ([env, text]: (typeof cases)[number]) => {
    const { code, stderr } = await runCli(['serve'], { env: { ...settings, ...env, PORT: '0', ADMIN_PORT: '0' } });
    assert.equal(code, 2, stderr);
    assert.match(stderr, text);
    assert.ok(!stderr.includes(KEY));
  };
  await Promise.all(cases.map(start));
});

test('tensorgate keys new prints a key, and an entry that works when the file is reloaded', async () => {
  const { code, stdout, stderr } = await runCli(['keys', 'new', 'fresh']);
  const [key = ''] = /tg_[\w-]{43}/.exec(stderr) ?? [];
  assert.equal(code, 0);
  assert.equal(stdout, `- name: fresh\n  sha256: ${sha256(key)}\n`);
  await writeFile(path.join(folder, 'keys.yaml'), stdout);
  await until(async () => (await request(gateway, bearer(key))).status !== 401);
  assert.deepEqual(await statuses([request(gateway, bearer(key)), request(gateway, bearer(KEY))]), [404, 401]);
  assert.equal((await runCli(['keys', 'new', 'two words'])).code, 2);
});

test('health needs no key: neither its answers nor that other methods are not allowed', async () => {
  for (const path of ['/health/live', '/health/ready', '/ping', '/v2/health/live', '/v2/health/ready']) {
    const refused = await fetch(`${gateway.url}${path}`, { method: 'POST' });
    assert.deepEqual([path, refused.status, refused.headers.get('allow')], [path, 405, 'GET, HEAD']);
    assert.match(await refused.text(), /POST is not allowed here/);
    assert.notEqual((await fetch(`${gateway.url}${path}`)).status, 401, path);
  }
});
