/** Downloads through an egress proxy: the guard's rules hold, and the proxy never gets a name. */
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { until } from '../../tests/until.ts';
import type { FetchOptions } from './http.ts';
import { INSIDE_HOSTS } from './test-hosts.ts';
import { context, failureOf, INSIDE, names, OUTSIDE, openFetch, startOrigin } from './test-origin.ts';
import { type OnConnect, startProxy } from './test-proxy.ts';

const LOOKUP = names({ 'img.example': [OUTSIDE], 'inside.example': [INSIDE], 'both.example': ['::1', OUTSIDE] });

/** An origin on 127.0.0.2, the only open address, and a fetch through a proxy. */
async function startProxied(t: TestContext, options: Partial<FetchOptions> = {}, onConnect?: OnConnect) {
  const origin = await startOrigin(
    t,
    ({ url = '', headers: { host } }, response) => {
      const location = new URL(url, 'http://origin').searchParams.get('to');
      if (location === null) response.end(host);
      else response.writeHead(302, { location }).end();
    },
    OUTSIDE,
  );
  const proxy = await startProxy(t, onConnect);
  const ports = [80, 443, origin.port];
  const fetch = openFetch(t, { allow: [OUTSIDE], ports, lookup: LOOKUP, proxy: proxy.url, ...options });
  const get = async (url: string) => String(await fetch(url, 'url', context()));
  return { origin, proxy, fetch, get, host: `img.example:${origin.port}`, target: `${OUTSIDE}:${origin.port}` };
}

describe('C18: FETCH_PROXY', () => {
  test('the proxy is asked for the checked address; the source sees the name', async (t) => {
    const { origin, proxy, get, host, target } = await startProxied(t);
    assert.equal(await get(`http://${host}/a?b=c`), host);
    assert.equal(await get(`http://${target}/`), target);
    assert.deepEqual([proxy.targets, proxy.others], [[target, target], []]);
    assert.ok(!JSON.stringify(proxy.headers).includes('img.example'));
    assert.deepEqual(origin.requests[0]?.headers, {
      host,
      'user-agent': 'tensorgate/test',
      accept: '*/*',
      'accept-encoding': 'identity',
      connection: 'close',
    });
  });

  test('a URL that the guard refuses causes no request to the proxy', async (t) => {
    const { proxy, fetch, origin } = await startProxied(t);
    const refused = (url: string) => failureOf(fetch(url, 'url', context()), 'source_forbidden');
    await refused(`http://inside.example:${origin.port}/`);
    await refused(`http://both.example:${origin.port}/`);
    await refused(`http://${OUTSIDE}:22/`);
    const plain = openFetch(t, { ports: [80, origin.port], lookup: LOOKUP, proxy: proxy.url });
    for (const host of Object.values(INSIDE_HOSTS).flat()) {
      await failureOf(plain(`http://${host}:${origin.port}/`, 'url', context()), 'source_forbidden');
    }
    assert.deepEqual(proxy.targets, []);
  });

  test('every redirect is checked: a refused target causes no second request to the proxy', async (t) => {
    const { proxy, fetch, get, host, target } = await startProxied(t);
    assert.equal(await get(`http://${host}/?to=${encodeURIComponent('/x')}`), host);
    const inside = ['http://127.0.0.1/', 'http://inside.example/', 'http://2130706433/', '//[::1]/', 'file:///x'];
    for (const to of inside) {
      const fetching = fetch(`http://${host}/?to=${encodeURIComponent(to)}`, 'url', context());
      await failureOf(fetching, 'source_forbidden');
    }
    assert.deepEqual(new Set(proxy.targets), new Set([target]));
    assert.equal(proxy.targets.length, 2 + inside.length);
  });

  test('A24, A30: a name is resolved once for each request, and the checked address is the one asked for', async (t) => {
    const answers = [OUTSIDE, INSIDE];
    const lookup = async () => [{ address: answers.shift() ?? INSIDE, family: 4 }];
    const { proxy, fetch, get, host, target } = await startProxied(t, { lookup });
    assert.equal(await get(`http://${host}/`), host);
    await failureOf(fetch(`http://${host}/`, 'url', context()), 'source_forbidden');
    assert.deepEqual(proxy.targets, [target]);
  });

  test("the user and password of the proxy's URL are sent to it, and to nobody else", async (t) => {
    const { proxy, origin, host } = await startProxied(t);
    const url = new URL(`http://me:p%40ss@${proxy.url.host}`);
    const fetch = openFetch(t, { allow: [OUTSIDE], ports: [origin.port], lookup: LOOKUP, proxy: url });
    await fetch(`http://${host}/`, 'url', context());
    assert.equal(proxy.headers.at(-1)?.['proxy-authorization'], `Basic ${btoa('me:p@ss')}`);
    assert.ok(!JSON.stringify(origin.requests.map(({ rawHeaders }) => rawHeaders)).includes('asic'));
  });

  test('the next family is tried when the proxy cannot reach the first address', async (t) => {
    const { proxy, get, origin, target } = await startProxied(t, { allow: [OUTSIDE, '::1'] });
    await get(`http://both.example:${origin.port}/`);
    assert.deepEqual(proxy.targets, [`[::1]:${origin.port}`, target]);
  });

  test('connections to one source are limited, and given back', async (t) => {
    const { proxy, get, host } = await startProxied(t, { maxSockets: 3 });
    const all = await Promise.all(Array.from({ length: 20 }, () => get(`http://${host}/`)));
    assert.deepEqual([new Set(all), proxy.mostAtOnce()], [new Set([host]), 3]);
  });

  test('a client that hangs up while it waits, or during CONNECT, ends its request', async (t) => {
    const held: { closed: boolean }[] = [];
    const { fetch, host } = await startProxied(t, { maxSockets: 1 }, (_target, socket) => {
      held.push(socket.resume().once('end', () => socket.end()));
    });
    const [first, second] = [new AbortController(), new AbortController()];
    const waits = [first, second].map(({ signal }) =>
      failureOf(fetch(`http://${host}/`, 'url', context(signal)), 'client_gone'),
    );
    await until(() => held.length === 1);
    second.abort();
    await waits[1];
    first.abort();
    await waits[0];
    await until(() => held[0]?.closed === true);
    assert.equal(held.length, 1);
  });
});

describe('C18: a proxy that fails', () => {
  const fails = async (t: TestContext, kind: 'source_failed' | 'source_timeout', onConnect: OnConnect) => {
    const { fetch, host } = await startProxied(t, { connectTimeoutMs: 200 }, onConnect);
    return failureOf(fetch(`http://${host}/`, 'url', context()), kind);
  };
  const UNREACHABLE = 'url: no image can be fetched from this URL; it has to be a public http or https address';

  test('a refused CONNECT is source_failed; the log has the status', async (t) => {
    for (const status of [403, 407, 502]) {
      const failure = await fails(t, 'source_failed', (_target, socket) => {
        socket.end(`HTTP/1.1 ${status} No\r\nContent-Length: 2\r\n\r\nno`);
      });
      assert.equal(failure.message, UNREACHABLE);
      assert.match((failure.cause as Error).message, new RegExp(`proxy answered CONNECT .* with ${status}`));
    }
  });

  test('a proxy that is closed, hangs or sends a huge head', async (t) => {
    await fails(t, 'source_timeout', () => {});
    await fails(t, 'source_failed', (_target, socket) => void socket.destroy());
    await fails(t, 'source_failed', (_target, socket) =>
      socket.end(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(1e6)}\r\n\r\n`),
    );
    const { host } = await startProxied(t);
    const proxy = new URL('http://me:hunter2@127.0.0.1:1');
    const fetch = openFetch(t, { allow: [OUTSIDE], ports: [Number(host.split(':')[1])], lookup: LOOKUP, proxy });
    const failure = await failureOf(fetch(`http://${host}/`, 'url', context()), 'source_failed');
    assert.equal(failure.message, UNREACHABLE);
    assert.doesNotMatch((failure.cause as Error).message, /hunter2/);
  });

  test('an answer before the request is refused', async (t) => {
    const failure = await fails(t, 'source_failed', (_target, socket) => {
      socket.end('HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nearly');
    });
    assert.match((failure.cause as Error).message, /sent bytes before the request/);
  });
});
