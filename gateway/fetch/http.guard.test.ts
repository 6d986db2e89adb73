/** Table A with real listeners: a refused address receives no packet. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { describe, type TestContext, test } from 'node:test';
import type { FetchOptions } from './http.ts';
import { INSIDE_HOSTS } from './test-hosts.ts';
import { context, failureOf, INSIDE, names, OUTSIDE, openFetch, startOrigin } from './test-origin.ts';

/**
 * A listener on 127.0.0.1 that must not be reached, and a fetch that may connect to 127.0.0.2 only, on the listeners'
 * ports.
 */
async function startInside(t: TestContext, options: Partial<FetchOptions> = {}, ports: readonly number[] = []) {
  const inside = await startOrigin(t, (_request, response) => response.end('secret'));
  const fetch = openFetch(t, { allow: [OUTSIDE], ports: [80, 443, inside.port, ...ports], ...options });
  const refused = async (url: string) => {
    const failure = await failureOf(fetch(url, 'url', context()), 'source_forbidden');
    assert.equal(inside.connections(), 0, `${url} reached the listener`);
    return failure;
  };
  return { inside, fetch, refused };
}

describe('A: the address of the URL itself', () => {
  for (const [id, spellings] of Object.entries(INSIDE_HOSTS)) {
    test(`${id}: ${spellings.join(', ')}`, async (t) => {
      const { inside, refused } = await startInside(t, { allow: [] });
      for (const host of spellings) {
        const before = process.threadCpuUsage();
        const failure = await refused(`http://${host}:${inside.port}/`);
        const { user, system } = process.threadCpuUsage(before);
        assert.equal(failure.status, 403);
        assert.ok(user + system < 50_000, 'took 50 ms of processor time');
      }
    });
  }

  test('A6: a backslash does not hide the host', async (t) => {
    const { inside, refused } = await startInside(t);
    await refused(`http://${INSIDE}:${inside.port}\\@example.com/`);
  });
});

describe('A: the addresses of a name', () => {
  test('A20: a public range of a cluster is refused if FETCH_DENY lists it', async (t) => {
    const lookup = names({ 'service.example': ['34.9.9.9'] });
    const { refused } = await startInside(t, { lookup, deny: ['34.0.0.0/8'] });
    await refused('http://service.example/');
  });

  test('A21 to A23: a name with one refused address is refused', async (t) => {
    const lookup = names({
      '127.0.0.1.nip.example': [INSIDE],
      'mixed.example': [OUTSIDE, INSIDE],
      'ipv6.example': [OUTSIDE, '::1'],
    });
    const { inside, refused } = await startInside(t, { lookup });
    for (const name of ['127.0.0.1.nip.example', 'mixed.example', 'ipv6.example']) {
      await refused(`http://${name}:${inside.port}/`);
    }
  });

  test('A24: a name is resolved once, and the checked address is the one connected to', async (t) => {
    const outside = await startOrigin(t, (_request, response) => response.end('public'), OUTSIDE);
    const answers = [OUTSIDE, INSIDE, INSIDE];
    const lookup = async () => [{ address: answers.shift() ?? INSIDE, family: 4 }];
    const { inside, fetch } = await startInside(t, { lookup }, [outside.port]);
    assert.equal(String(await fetch(`http://rebind.example:${outside.port}/`, 'url', context())), 'public');
    assert.equal(outside.requests[0]?.headers.host, `rebind.example:${outside.port}`);
    assert.deepEqual([answers.length, inside.connections()], [2, 0]);
  });

  test('A30: a kept connection is not used after its name changes to a refused address', async (t) => {
    const outside = await startOrigin(t, (_request, response) => response.end('public'), OUTSIDE);
    const answers = [OUTSIDE, OUTSIDE, INSIDE];
    const lookup = async () => [{ address: answers.shift() ?? INSIDE, family: 4 }];
    const { fetch, refused } = await startInside(t, { lookup }, [outside.port]);
    const url = `http://changing.example:${outside.port}/`;
    await fetch(url, 'url', context());
    await fetch(url, 'url', context());
    assert.equal(outside.requests[0]?.socket, outside.requests[1]?.socket, 'the connection was not kept');
    await refused(url);
    assert.equal(outside.requests.length, 2);
  });

  test('A36: closed ports on a public host are refused', async (t) => {
    const { refused } = await startInside(t, { lookup: names({ 'public.example': ['8.8.8.8'] }) });
    for (const port of [22, 25, 6379, 8500, 9090, 10250]) await refused(`http://public.example:${port}/`);
  });
});

describe('A: redirects', () => {
  /** Fetches from an open origin that responds with this redirect. */
  async function redirected(t: TestContext, status: number, location: (insidePort: number) => string) {
    let insidePort = 0;
    const redirect = (port: number) => ({ location: location(port) });
    const outside = await startOrigin(
      t,
      (_, response) => response.writeHead(status, redirect(insidePort)).end(),
      OUTSIDE,
    );
    const lookup = names({ 'inside.example': [INSIDE] });
    const { inside, refused } = await startInside(t, { lookup }, [outside.port]);
    insidePort = inside.port;
    await refused(outside.url);
    assert.equal(outside.requests.length, 1);
  }

  const cases: ReadonlyArray<readonly [id: string, status: number, location: (port: number) => string]> = [
    ['A25: to a loopback address', 302, (port) => `http://127.0.0.1:${port}/`],
    ['A26: to a name with a loopback address', 307, (port) => `http://inside.example:${port}/`],
    ['A26, A31: to a decimal host', 308, (port) => `http://2130706433:${port}/`],
    ['A27: to a host without a scheme', 301, (port) => `//127.0.0.1:${port}/x`],
    ['A27: to a host after backslashes', 303, (port) => `\\\\127.0.0.1:${port}\\x`],
    ['A28: to a file', 302, () => 'file:///etc/passwd'],
    ['A28: to gopher', 302, (port) => `gopher://127.0.0.1:${port}/_GET`],
    ['A28: to data', 302, () => 'data:image/png;base64,AAAA'],
    ['A28: to ftp', 302, () => 'ftp://example.com/x.jpg'],
    ['A31: to an IPv6 literal', 302, (port) => `http://[::ffff:7f00:1]:${port}/`],
  ];
  for (const [name, status, location] of cases) test(name, (t) => redirected(t, status, location));
});

test('A32: proxy variables of the environment are ignored', async (t) => {
  const origin = await startOrigin(t, (_request, response) => response.end('direct'));
  const proxy = await startOrigin(t, (_request, response) => response.end('proxied'));
  const script = `
    import { createFetch } from ${JSON.stringify(new URL('./http.ts', import.meta.url).href)};
    const limits = { maxBytes: 1e6, maxRedirects: 3, connectTimeoutMs: 2000, timeoutMs: 5000, maxSockets: 8 };
    const rules = { allow: [], deny: [], allowPrivate: true, ports: [80, 443], userAgent: 'test' };
    const fetch = createFetch({ ...limits, ...rules });
    process.stdout.write(await fetch(${JSON.stringify(origin.url)}, 'url', { signal: new AbortController().signal }));
    fetch.close();
  `;
  const proxies = { HTTP_PROXY: proxy.url, http_proxy: proxy.url, NODE_USE_ENV_PROXY: '1', NO_PROXY: '' };
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { env: { ...process.env, ...proxies } });
  const [output] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  assert.deepEqual([output, proxy.requests.length, origin.requests.length], ['direct', 0, 1]);
});

describe('what a refusal reveals', () => {
  test('a refused URL, a refused connection and an unknown name have the same error text', async (t) => {
    const gone = await startOrigin(t, (_request, response) => response.end());
    const { fetch, refused } = await startInside(t, { lookup: names({}) }, [1]);
    const texts = new Set<string>();
    texts.add((await refused(`http://${INSIDE}:${gone.port}/`)).message);
    texts.add((await refused('ftp://example.com/')).message);
    texts.add((await refused('http://8.8.8.8:22/')).message);
    for (const url of [`http://${OUTSIDE}:1/`, 'http://dead.example/']) {
      texts.add((await failureOf(fetch(url, 'url', context()), 'source_failed')).message);
    }
    assert.equal(texts.size, 1, [...texts].join('\n'));
    assert.doesNotMatch([...texts].join(), /127\.|ECONN|ENOTFOUND|dead|FETCH_/);
  });

  test('the cause has the rule, the setting and the URL without its query', async (t) => {
    const { refused } = await startInside(t, { allow: [] });
    const { cause } = await refused('http://10.1.2.3/photo.jpg?X-Amz-Signature=secret');
    assert.match((cause as Error).message, /^http:\/\/10\.1\.2\.3\/photo\.jpg: .*private.*FETCH_ALLOW_PRIVATE/);
    assert.equal((cause as { rule?: string }).rule, 'address');
    assert.doesNotMatch((cause as Error).message, /secret/);
  });
});
