/**
 * Group A of the acceptance table with the real gateway, its default guard and the system's resolver, in a network
 * namespace where every address answers. A refused URL must cause no packet: the kernel and the listeners count.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { after, before, type TestContext, test } from 'node:test';
import { INSIDE_HOSTS } from '../../gateway/fetch/test-hosts.ts';
import { startNameServer } from '../../gateway/fetch/test-name-server.ts';
import { startProxy, type TestProxy } from '../../gateway/fetch/test-proxy.ts';
import { predict, type RunningGateway, startGateway } from '../gateway.ts';
import { type ModelServer, startClothingModel } from '../model-server.ts';
import { modelsFolder } from '../models.ts';
import { countDisallowedPackets, countPackets, enterNamespace, makeAllAddressesLocal } from './namespace.ts';

const skip = enterNamespace(import.meta.filename);

const PUBLIC = '93.184.216.34';
const METADATA = '169.254.169.254';
/** Ports of typical internal services. The listeners use them at every address, including the public host. */
const PORTS = [80, 443, 22, 25, 3128, 6379, 8500, 9090, 10250];
const ONE_TEXT = 'url: no image can be fetched from this URL; it has to be a public http or https address';
/** The table says 50 ms. A busy machine takes longer; an attempted connection would take 2 s. */
const MAX_REFUSAL_MS = 1500;

const jpeg = await readFile(new URL('../golden/images/jpg-420.jpg', import.meta.url));
/** The local address of every connection that the listeners accepted. */
const connectedTo: string[] = [];
const lookUps = new Map<string, number>();
const listeners: Server[] = [];
let model: ModelServer;
let gateway: RunningGateway;
let listed: RunningGateway;
let proxied: RunningGateway;
let egress: TestProxy;

/** A name that resolves to `first` once and to `then` after that. */
function rebinding(name: string, first: string, then: string) {
  return () => {
    const count = (lookUps.get(name) ?? 0) + 1;
    lookUps.set(name, count);
    return { a: [count === 1 ? first : then] };
  };
}

const NAMES = {
  'public.example': { a: [PUBLIC] },
  'img.example.com': { a: [PUBLIC] },
  'a.b.wild.example': { a: [PUBLIC] },
  'wild.example': { a: [PUBLIC] },
  'img.example.com.evil.test': { a: [PUBLIC] },
  'evil.test': { a: [PUBLIC] },
  'loopback.example': { a: ['127.0.0.1'] },
  'metadata.example': { a: [METADATA] },
  'mixed.example': { a: [PUBLIC, '10.7.7.7'] },
  'six.example': { a: [PUBLIC], aaaa: ['::1'] },
  'rebind.example': rebinding('rebind.example', PUBLIC, '127.0.0.1'),
  'changing.example': rebinding('changing.example', PUBLIC, METADATA),
};

/** The origin at every address: a picture, or a redirect to `?to=`. */
function answer({ url = '', socket }: IncomingMessage, response: ServerResponse): void {
  connectedTo.push(socket.localAddress?.replace('::ffff:', '') ?? '');
  const { searchParams } = new URL(url, 'http://origin');
  const location = searchParams.get('to');
  if (location) response.writeHead(Number(searchParams.get('status') ?? 302), { location }).end();
  else response.end(jpeg);
}

before(async (t) => {
  if (skip) return;
  makeAllAddressesLocal();
  await startNameServer(t as TestContext, NAMES, 53);
  for (const port of PORTS) {
    const server = createServer(answer).listen(port, '::');
    await once(server, 'listening');
    listeners.push(server);
  }
  model = await startClothingModel();
  const proxy = 'http://127.0.0.1:3128';
  const settings = {
    TF_SERVING_HOST: model.target,
    MODELS: await modelsFolder(t as TestContext),
    ...{ HTTP_PROXY: proxy, http_proxy: proxy, HTTPS_PROXY: proxy, NO_PROXY: '', NODE_USE_ENV_PROXY: '1' },
  };
  const list = 'https://img.example.com/,http://img.example.com/,http://*.wild.example/';
  egress = await startProxy(t as TestContext);
  [gateway, listed, proxied] = await Promise.all([
    startGateway(settings),
    startGateway({ ...settings, FETCH_ALLOW: list }),
    startGateway({ ...settings, FETCH_PROXY: egress.url.href }),
  ]);
  await Promise.all([gateway, listed, proxied].map((one) => one.ready()));
  const own = [gateway.url, listed.url, proxied.url, egress.url, `http://${model.target}`];
  const ours = own.map((url) => Number(new URL(url).port));
  countPackets([
    ...ours.map((port) => ({ protocol: 'tcp' as const, address: '127.0.0.1', port })),
    { protocol: 'tcp', address: PUBLIC, port: 80 },
    { protocol: 'udp', port: 53 },
  ]);
});

after(async () => {
  if (skip) return;
  const codes = await Promise.all([gateway, listed, proxied].map((one) => one.stop()));
  model.close();
  for (const listener of listeners) listener.close().closeAllConnections();
  assert.deepEqual(codes, [0, 0, 0]);
});

type Reply = { readonly status: number; readonly kind?: string; readonly detail?: string; readonly tookMs: number };

async function ask(url: string, of: RunningGateway): Promise<Reply> {
  const startedMs = performance.now();
  const response = await predict(of, { url });
  const { kind, detail } = (await response.json()) as { kind?: string; detail?: string };
  return {
    status: response.status,
    ...(kind && { kind }),
    ...(detail && { detail }),
    tookMs: performance.now() - startedMs,
  };
}

/** Asserts that each URL is refused with the same text, without delay, and that no other host was connected to. */
async function assertRefused(t: TestContext, urls: readonly string[], of = gateway): Promise<void> {
  let longestMs = 0;
  for (const url of urls) {
    const { status, kind, detail, tookMs } = await ask(url, of);
    assert.deepEqual([status, kind, detail], [403, 'source_forbidden', ONE_TEXT], url);
    longestMs = Math.max(longestMs, tookMs);
  }
  assert.ok(longestMs < MAX_REFUSAL_MS, `took ${longestMs} ms`);
  const packets = countDisallowedPackets();
  t.diagnostic(`came: 403 source_forbidden within ${Math.ceil(longestMs)} ms, ${packets} packets`);
  assert.equal(packets, 0);
  assert.deepEqual(
    [...new Set(connectedTo)].filter((address) => address !== PUBLIC),
    [],
  );
}

async function assertFetched(t: TestContext, url: string, of = gateway): Promise<void> {
  const { status, kind } = await ask(url, of);
  t.diagnostic(`came: ${status} ${kind ?? 'with scores'}, ${countDisallowedPackets()} packets elsewhere`);
  assert.equal(status, 200, kind);
  assert.equal(countDisallowedPackets(), 0);
}

const redirect = (to: string, status = 302) => `http://public.example/?status=${status}&to=${encodeURIComponent(to)}`;

test('a public host is fetched, by name and by address', { skip }, async (t) => {
  await assertFetched(t, 'http://public.example/');
  await assertFetched(t, `http://${PUBLIC}/`);
  await assertFetched(t, redirect(`http://${PUBLIC}/`));
  assert.equal(connectedTo.length, 4);
});

for (const [id, hosts] of Object.entries(INSIDE_HOSTS)) {
  const urls = hosts.map((host) => `http://${host}/`);
  test(`${id}: POST /predict of ${urls.join(', ')}`, { skip }, (t) => assertRefused(t, urls));
}

test('A15: the addresses next to 100.64.0.0/10 are public; only their port is refused', { skip }, async (t) => {
  for (const address of ['100.63.255.255', '100.128.0.1']) {
    const response = await predict(gateway, { url: `http://${address}:22/` });
    const [line] = await gateway.linesOf(response.headers.get('x-request-id'));
    assert.match(JSON.stringify(line?.cause), /port 22 is closed/);
  }
  t.diagnostic('came: passed the address check; port 22 is refused');
});

test('A17: an address with a zone id is invalid_url', { skip }, async (t) => {
  const { status, kind } = await ask('http://[fe80::1%25eth0]/', gateway);
  t.diagnostic(`came: ${status} ${kind}`);
  assert.deepEqual([status, kind, countDisallowedPackets()], [400, 'invalid_url', 0]);
});

const CASES: Readonly<Record<string, readonly string[]>> = {
  'A18: a name of the metadata address': ['http://metadata.example/'],
  'A20: names and ports of model servers': ['http://model:8500/', 'http://tf-serving.default.svc.cluster.local:8500/'],
  'A21: a public name of 127.0.0.1': ['http://loopback.example/'],
  'A22: a name with a public and a private answer': ['http://mixed.example/'],
  'A23: a name with a public A and AAAA ::1': ['http://six.example/'],
  'A25: a 302 to 127.0.0.1': [redirect('http://127.0.0.1/')],
  'A26: a 307 to a private name, a 308 to a decimal host': [
    redirect('http://loopback.example/', 307),
    redirect('http://2852039166/', 308),
  ],
  'A27: a Location without scheme or with backslashes': [redirect('//127.0.0.1/x'), redirect('\\\\127.0.0.1')],
  'A28: redirects to other schemes': [
    ...['file:///etc/passwd', 'gopher://127.0.0.1/', 'data:image/png;base64,AAAA', 'ftp://public.example/'].map((to) =>
      redirect(to),
    ),
  ],
  'A31: redirects to address literals': [redirect(`http://${METADATA}/`), redirect('http://[::ffff:10.7.7.7]/')],
  'A36: other ports of a public host': [22, 25, 6379, 8500, 9090, 10250].map(
    (port) => `http://public.example:${port}/`,
  ),
  'B1: schemes other than http and https': [
    'file:///etc/passwd',
    'ftp://public.example/',
    'gopher://a/',
    'blob:x',
    'javascript:1',
  ],
};
for (const [name, urls] of Object.entries(CASES)) test(name, { skip }, (t) => assertRefused(t, urls));

test('C18: through FETCH_PROXY the same URLs cause no packet, and the proxy is asked for no address', {
  skip,
}, async (t) => {
  await assertFetched(t, 'http://public.example/', proxied);
  const targets = new Set([`${PUBLIC}:80`]);
  assert.deepEqual(new Set(egress.targets), targets);
  const urls = Object.values(INSIDE_HOSTS).flatMap((hosts) => hosts.map((host) => `http://${host}/`));
  await assertRefused(t, [...urls, ...Object.values(CASES).flat()], proxied);
  assert.deepEqual(new Set(egress.targets), targets);
  assert.deepEqual(egress.others, []);
});

test('A24: DNS rebinding: the checked address is connected to, the next look-up is refused', { skip }, async (t) => {
  await assertFetched(t, 'http://rebind.example/');
  assert.equal(lookUps.get('rebind.example'), 1);
  await assertRefused(t, ['http://rebind.example/']);
});

test('A30: a name that changes to the metadata address is refused despite an open connection', { skip }, async (t) => {
  await assertFetched(t, 'http://changing.example/');
  await assertRefused(t, ['http://changing.example/']);
});

test('A32: a proxy in the environment is not used', { skip }, async (t) => {
  await assertFetched(t, 'http://public.example/');
});

test('A33: with an allow-list, hosts that only look like the allowed one are refused', { skip }, async (t) => {
  await assertFetched(t, 'http://img.example.com/', listed);
  const alike = ['http://img.example.com.evil.test/', 'http://img.example.com@evil.test/'];
  await assertRefused(t, [...alike, 'http://img.example.com%2eevil.test/', redirect('http://evil.test/')], listed);
});

test('A34: *.wild.example allows its subdomains, not wild.example itself', { skip }, async (t) => {
  await assertFetched(t, 'http://a.b.wild.example/', listed);
  await assertRefused(t, ['http://wild.example/', 'http://public.example/'], listed);
});

test('A35: a Cyrillic look-alike is refused; host names longer than DNS allows are invalid', { skip }, async (t) => {
  await assertRefused(t, ['http://img.ex\u0430mple.com/'], listed);
  for (const host of [`${'a'.repeat(64)}.example`, `${'a.'.repeat(127)}example`]) {
    const { status, kind } = await ask(`http://${host}/`, gateway);
    assert.deepEqual([status, kind], [400, 'invalid_url']);
  }
  t.diagnostic('came: 400 invalid_url for the long names');
});

test('the counters work: a connection to 10.7.7.7 counts as one packet and reaches a listener', { skip }, async () => {
  const socket = connect(80, '10.7.7.7').end('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n').resume();
  await once(socket, 'close');
  assert.deepEqual([countDisallowedPackets(), connectedTo.at(-1)], [1, '10.7.7.7']);
});
