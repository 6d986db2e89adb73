/** Table B with real servers: how fetch handles every kind of faulty source. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { connect, type Socket } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { until } from '../../tests/until.ts';
import type { Kind } from '../errors.ts';
import type { FetchOptions } from './http.ts';
import { context, failureOf, names, openFetch, startOrigin, startRawOrigin } from './test-origin.ts';

const IMAGE = randomBytes(200_000);
/** Far below every timeout that is not under test, far above the delays of a busy machine. */
const SOON_MS = 1500;

async function fetched(t: TestContext, answer: RequestListener, options: Partial<FetchOptions> = {}) {
  const origin = await startOrigin(t, answer);
  const fetch = openFetch(t, { allowPrivate: true, ...options });
  return { origin, fetch: (path = '') => fetch(origin.url + path, 'url', context()) };
}

/** The error of a fetch from a TCP server that `answer` writes to. */
async function failureOfRaw(
  t: TestContext,
  kind: Kind,
  answer: (socket: Socket) => void,
  options?: Partial<FetchOptions>,
) {
  const url = await startRawOrigin(t, answer);
  return failureOf(openFetch(t, { allowPrivate: true, ...options })(url, 'instances[1].url', context()), kind);
}

describe('a source that works', () => {
  test('its body is returned, with a declared length and in chunks', async (t) => {
    const { fetch } = await fetched(t, ({ url }, response) => {
      if (url === '/declared') return void response.setHeader('content-length', IMAGE.length).end(IMAGE);
      response.write(IMAGE.subarray(0, 70_001));
      response.end(IMAGE.subarray(70_001));
    });
    assert.deepEqual(await fetch('declared'), IMAGE);
    assert.deepEqual(await fetch('chunked'), IMAGE);
  });

  test('a body of exactly the size limit is returned, and an empty one', async (t) => {
    const { fetch } = await fetched(t, ({ url }, response) => response.end(url === '/empty' ? '' : IMAGE), {
      maxBytes: IMAGE.length,
    });
    assert.deepEqual(await fetch(), IMAGE);
    assert.equal((await fetch('empty')).length, 0);
  });

  test('requests share one kept connection, and use a new one if the server just closed it', async (t) => {
    const sockets: Socket[] = [];
    const { fetch } = await fetched(t, ({ socket }, response) => {
      sockets.push(socket);
      if (sockets.length === 3) socket.destroy();
      else response.end('x');
    });
    for (let i = 0; i < 3; i += 1) assert.equal(String(await fetch()), 'x');
    const [first, second, third, fourth] = sockets;
    assert.equal(first, second);
    assert.equal(second, third);
    assert.ok(fourth && fourth !== third);
  });

  test('B13: three redirects are followed, relative ones too', async (t) => {
    const hops: Record<string, string> = { '/': 'a?x=1', '/a?x=1': '/b', '/b': './c' };
    const { origin, fetch } = await fetched(t, ({ url = '' }, response) => {
      const location = hops[url];
      if (location) response.writeHead(302, { location }).end('moved');
      else response.end(url);
    });
    assert.equal(String(await fetch()), '/c');
    assert.equal(origin.requests.length, 4);
  });

  test('B22: it receives no headers but the fixed ones', async (t) => {
    const { origin, fetch } = await fetched(t, ({ url }, response) =>
      url === '/' ? response.writeHead(302, { location: '/2', 'set-cookie': 'a=b' }).end() : response.end(),
    );
    await fetch();
    for (const { headers } of origin.requests) {
      assert.deepEqual(headers, {
        host: new URL(origin.url).host,
        'user-agent': 'tensorgate/test',
        accept: '*/*',
        'accept-encoding': 'identity',
        connection: 'keep-alive',
      });
    }
  });

  test('B16: a hundred concurrent fetches share the allowed connections to one host', async (t) => {
    const { origin, fetch } = await fetched(t, (_request, response) => setTimeout(() => response.end('x'), 5));
    await Promise.all(Array.from({ length: 100 }, () => fetch()));
    assert.equal(origin.requests.length, 100);
    assert.equal(new Set(origin.requests.map(({ socket }) => socket)).size, 8);
  });

  test('A06: connections to many hosts are limited together, and those kept are closed for other hosts', async (t) => {
    const open = new Set<unknown>();
    let most = 0;
    const { origin } = await fetched(t, ({ socket }, response) => {
      open.add(socket);
      socket.once('close', () => open.delete(socket));
      most = Math.max(most, open.size);
      setTimeout(() => response.end('x'), 2);
    });
    const { port } = new URL(origin.url);
    const fetch = openFetch(t, {
      allowPrivate: true,
      maxTotalSockets: 6,
      lookup: async () => [{ address: '127.0.0.1', family: 4 }],
    });
    const urls = Array.from({ length: 60 }, (_, index) => `http://h${index}.example:${port}/`);
    await Promise.all(urls.map((url) => fetch(url, 'url', context())));
    assert.ok(most <= 9, `${most}: 6, and those that the origin has not seen close`);
    assert.equal(open.size, 6, 'these are kept for later');
  });
});

describe('B: names and connections', () => {
  test('B4: a name that does not exist, and one whose name server fails, are source_failed', async (t) => {
    const servfail = () => Promise.reject(new Error('queryA ESERVFAIL ill.example'));
    for (const lookup of [names({}), names({ 'ill.example': [] }), servfail]) {
      const fetch = openFetch(t, { lookup });
      const failure = await failureOf(fetch('http://ill.example/', 'url', context()), 'source_failed');
      assert.equal(failure.status, 502);
    }
  });

  test('B4: a lookup that hangs fails after the connect timeout', async (t) => {
    const fetch = openFetch(t, { lookup: () => new Promise(() => {}), connectTimeoutMs: 100 });
    const startedMs = performance.now();
    await failureOf(fetch('http://hang.example/', 'url', context()), 'source_failed');
    assert.ok(performance.now() - startedMs < SOON_MS);
  });

  test('B5: a refused connection is source_failed', async (t) => {
    const fetch = openFetch(t, { allowPrivate: true });
    assert.equal((await failureOf(fetch('http://127.0.0.1:1/', 'url', context()), 'source_failed')).status, 502);
  });

  test('if the first address of a name does not answer, the next one is used', async (t) => {
    const lookup = names({ 'two.example': ['127.0.0.3', '127.0.0.1'] });
    const origin = await startOrigin(t, (_request, response) => response.end('x'));
    const fetch = openFetch(t, { allowPrivate: true, lookup });
    assert.equal(String(await fetch(`http://two.example:${origin.port}/`, 'url', context())), 'x');
  });
});

/**
 * The port of a listener that does not accept connections: its process is stopped and its queue is full, so the kernel
 * drops every further SYN.
 */
async function startBlackHole(t: TestContext): Promise<number> {
  const script = `const server = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () =>
    process.stdout.write(String(server.address().port)));`;
  const child = spawn(process.execPath, ['-e', script]);
  t.after(() => child.kill('SIGKILL'));
  const port = Number((await once(child.stdout, 'data')).join());
  child.kill('SIGSTOP');
  for (let isOpen = true; isOpen; ) {
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    t.after(() => socket.destroy());
    isOpen = await Promise.race([once(socket, 'connect').then(() => true), sleep(300, false)]);
  }
  return port;
}

describe('B: time', () => {
  const options = { timeoutMs: 300 };

  test('B6: an address that drops packets fails after the connect timeout', async (t) => {
    const port = await startBlackHole(t);
    const fetch = openFetch(t, { allowPrivate: true, connectTimeoutMs: 200 });
    const startedMs = performance.now();
    const failure = await failureOf(fetch(`http://127.0.0.1:${port}/`, 'url', context()), 'source_timeout');
    assert.ok(performance.now() - startedMs < SOON_MS);
    assert.equal(failure.status, 504);
  });

  test('B7: a server that never responds is source_timeout', async (t) => {
    const startedMs = performance.now();
    const failure = await failureOfRaw(t, 'source_timeout', () => {}, options);
    assert.ok(performance.now() - startedMs < SOON_MS);
    assert.equal(failure.status, 504);
  });

  test('B7: headers and bodies that arrive byte by byte do not extend the timeout', async (t) => {
    for (const start of ['HTTP/1.1 200 OK\r\nX-Drip: ', 'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n']) {
      const startedMs = performance.now();
      await failureOfRaw(
        t,
        'source_timeout',
        (socket) => {
          socket.write(start);
          const drip = setInterval(() => socket.write('x'), 20);
          socket.once('close', () => clearInterval(drip));
        },
        options,
      );
      assert.ok(performance.now() - startedMs < SOON_MS);
    }
  });

  test('B7: one timeout covers all redirects together', async (t) => {
    const { fetch } = await fetched(
      t,
      async (_request, response) => {
        await sleep(120);
        response.writeHead(302, { location: '/' }).end();
      },
      options,
    );
    await failureOf(fetch(), 'source_timeout');
  });

  test("the request's deadline is source_timeout", async (t) => {
    const url = await startRawOrigin(t, () => {});
    const failing = openFetch(t, { allowPrivate: true })(url, 'url', context(AbortSignal.timeout(50)));
    await failureOf(failing, 'source_timeout');
  });

  test('B18: a client that hangs up closes the connection to the source at once, also within the body', async (t) => {
    for (const said of ['', 'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nxx']) {
      const client = new AbortController();
      const { promise: closed, resolve } = Promise.withResolvers<number>();
      const url = await startRawOrigin(t, (socket) => {
        socket.write(said);
        socket.once('data', () => setTimeout(() => client.abort(), 50));
        socket.once('close', () => resolve(performance.now()));
      });
      const failing = openFetch(t, { allowPrivate: true })(url, 'url', context(client.signal));
      await once(client.signal, 'abort');
      const abortedMs = performance.now();
      await failureOf(failing, 'client_gone');
      assert.ok((await closed) - abortedMs < SOON_MS);
    }
  });

  test('B17, B18: a fetch that waits for a connection to a slow host ends when its client hangs up', async (t) => {
    const url = await startRawOrigin(t, () => {});
    const fetch = openFetch(t, { allowPrivate: true, maxSockets: 1 });
    const [first, second] = [new AbortController(), new AbortController()];
    const slow = failureOf(fetch(url, 'url', context(first.signal)), 'client_gone');
    const waiting = failureOf(fetch(url, 'url', context(second.signal)), 'client_gone');
    await sleep(30);
    second.abort();
    assert.equal(await Promise.race([waiting.then(() => 'waiting'), slow.then(() => 'slow')]), 'waiting');
    first.abort();
    await slow;
  });

  test('B17: a slow host does not delay another', async (t) => {
    const slow = await startRawOrigin(t, () => {});
    const fast = await startOrigin(t, (_request, response) => response.end('x'));
    const fetch = openFetch(t, { allowPrivate: true, maxSockets: 2 });
    const client = new AbortController();
    const stuck = Promise.all(
      Array.from({ length: 10 }, () => failureOf(fetch(slow, 'url', context(client.signal)), 'client_gone')),
    );
    const quick = Promise.all(Array.from({ length: 20 }, () => fetch(fast.url, 'url', context())));
    assert.equal(await Promise.race([quick.then(() => 'quick'), stuck.then(() => 'stuck')]), 'quick');
    client.abort();
    await stuck;
  });

  test('B18: a client that hangs up during the lookup, or before, is client_gone', async (t) => {
    const fetch = openFetch(t, { lookup: () => new Promise(() => {}) });
    await failureOf(fetch('http://hang.example/', 'url', context(AbortSignal.abort())), 'client_gone');
    const client = new AbortController();
    const failing = fetch('http://hang.example/', 'url', context(client.signal));
    client.abort();
    await failureOf(failing, 'client_gone');
  });
});

const HEAD = 'HTTP/1.1 200 OK\r\n';

describe('B: size', () => {
  test('B8: a declared length above the size limit is refused before the body', async (t) => {
    for (const length of ['1000001', '10000000000', '9'.repeat(15)]) {
      let socket: Socket | undefined;
      const failure = await failureOfRaw(t, 'source_too_large', (accepted) => {
        socket = accepted;
        accepted.write(`HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n`);
        accepted.write(IMAGE);
      });
      await until(() => socket?.closed === true, 1000);
      assert.equal(failure.status, 422);
      assert.match(failure.message, /^instances\[1\]\.url: the image is larger than 1000000 bytes$/);
    }
  });

  test('B9: an endless body is cut at the size limit', async (t) => {
    let written = 0;
    const { fetch } = await fetched(t, (_request, response) => {
      const push = () => {
        while (!response.destroyed && response.write(IMAGE)) written += IMAGE.length;
      };
      response.on('drain', push);
      push();
    });
    await failureOf(fetch(), 'source_too_large');
    await sleep(50);
    assert.ok(written < 20_000_000, 'the server could go on sending');
  });

  test('B9: a body of one-byte chunks is cut short: each chunk costs CPU time', async (t) => {
    const flood = Buffer.from('1\r\nx\r\n'.repeat(10_000));
    const failure = await failureOfRaw(t, 'source_failed', (socket) => {
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
      const push = () => {
        while (!socket.destroyed && socket.write(flood));
      };
      socket.on('drain', push);
      push();
    });
    assert.match(failure.message, /chunks of a few bytes/);
  });

  const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
  const floods: Readonly<Record<string, readonly [start: string, more: string]>> = {
    'one chunk extension': [`${CHUNKED}1;`, 'a'.repeat(65_536)],
    'an extension of each chunk': [CHUNKED, `100;${'e'.repeat(15_000)}\r\n${'x'.repeat(256)}\r\n`],
    'zeros before the size of a chunk': [CHUNKED, '0'.repeat(65_536)],
    trailers: [`${CHUNKED}1\r\nx\r\n0\r\n`, 'X: y\r\n'.repeat(1000)],
  };
  for (const [name, [start, more]] of Object.entries(floods)) {
    test(`A09: ${name} without end: the download fails before its timeout`, async (t) => {
      await failureOfRaw(t, 'source_failed', (socket) => {
        const push = () => {
          while (!socket.destroyed && socket.write(more));
        };
        socket.on('drain', push);
        socket.write(start);
        push();
      });
    });
  }

  test('a response that nobody asked for closes a kept connection', async (t) => {
    const closed = Promise.withResolvers<void>();
    let connections = 0;
    const url = await startRawOrigin(t, (socket) => {
      connections += 1;
      const [first, extra] = [
        'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwhole',
        `${HEAD}Content-Length: 4\r\n\r\nevil`,
      ];
      socket
        .once('close', closed.resolve)
        .once('data', () => socket.write(first, () => setImmediate(() => socket.write(extra))));
    });
    const fetch = openFetch(t, { allowPrivate: true });
    assert.equal(String(await fetch(url, 'url', context())), 'whole');
    await closed.promise;
    assert.equal(String(await fetch(url, 'url', context())), 'whole');
    assert.equal(connections, 2);
  });

  test('B11: a body shorter than declared fails, bytes after a complete body are ignored', async (t) => {
    await failureOfRaw(t, 'source_failed', (socket) =>
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort'),
    );
    await failureOfRaw(t, 'source_failed', (socket) =>
      socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n'),
    );
    const cut = await failureOfRaw(t, 'source_failed', (socket) => socket.end(`${HEAD}Content-Length: 9\r\n\r\ncut`));
    assert.match(cut.message, /answer is cut off/);
    const closed = await startRawOrigin(t, (socket) =>
      socket.end(`${HEAD}Connection: close\r\nContent-Length: 5\r\n\r\nwhole and more`),
    );
    assert.equal(String(await openFetch(t, { allowPrivate: true })(closed, 'url', context())), 'whole');
    const url = await startRawOrigin(t, (socket) =>
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwhole and more'),
    );
    const fetch = openFetch(t, { allowPrivate: true });
    assert.equal(String(await fetch(url, 'url', context())), 'whole');
    assert.equal(String(await fetch(url, 'url', context())), 'whole');
  });
});

const UNREACHABLE = /no image can be fetched from this URL/;

describe('B: responses', () => {
  test('B12: the status of the source is in the error and decides between 422 and 502', async (t) => {
    for (const status of [400, 401, 403, 404, 410, 429, 500, 503, 201, 204, 206, 304, 300]) {
      const { fetch } = await fetched(t, (_request, response) => response.writeHead(status).end());
      const failure = await failureOf(fetch(), 'source_failed');
      assert.deepEqual([failure.sourceStatus, failure.status], [status, status >= 400 && status < 500 ? 422 : 502]);
    }
  });

  test('B13: a redirect loop and a chain of four redirects end after four requests', async (t) => {
    for (const next of [() => '/', (url: string) => `${url}x`]) {
      const { origin, fetch } = await fetched(t, ({ url = '' }, response) => {
        response.writeHead(301, { location: next(url) }).end();
      });
      assert.match((await failureOf(fetch(), 'source_failed')).message, /more than 3 times/);
      assert.equal(origin.requests.length, 4);
    }
  });

  test('B13: a redirect without a Location or with an invalid one is source_failed', async (t) => {
    for (const headers of [{}, { location: 'http://[' }, { location: 'http://user:hunter2@127.0.0.1/' }]) {
      const { origin, fetch } = await fetched(t, (_request, response) => response.writeHead(301, headers).end());
      const failure = await failureOf(fetch(), 'source_failed');
      assert.equal(failure.status, 502);
      assert.match((failure.cause as Error).message, /^http:.*: the source redirects (to|without)/);
      assert.doesNotMatch((failure.cause as Error).message, /hunter2/);
      assert.equal(origin.requests.length, 1);
    }
  });

  test('B14, B15: the Content-Type is not checked: the image stage checks the bytes', async (t) => {
    const { fetch } = await fetched(t, (_, response) =>
      response.writeHead(200, { 'content-type': 'text/html' }).end('<p>'),
    );
    assert.equal(String(await fetch()), '<p>');
  });

  const malformed: Readonly<Record<string, string>> = {
    'HTTP/0.9': '<html>hello</html>',
    'another protocol': '-ERR unknown command\r\n',
    'bad status line': 'HTTP/1.1 2OO OK\r\n\r\n',
    'header of 1 MiB': `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(2 ** 20)}\r\n\r\n`,
    '10,000 headers': `HTTP/1.1 200 OK\r\n${'X: y\r\n'.repeat(10_000)}\r\n`,
    'two lengths': 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx',
    'length and chunks':
      'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n',
    'length that is not a number': 'HTTP/1.1 200 OK\r\nContent-Length: 0x10\r\n\r\nxx',
    'a protocol switch': 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
    'an empty response': '',
  };
  for (const [name, answer] of Object.entries(malformed)) {
    test(`B21: ${name}`, async (t) => {
      const failure = await failureOfRaw(t, 'source_failed', (socket) => socket.end(answer));
      assert.equal(failure.status, 502);
      assert.match(failure.message, answer === '' ? UNREACHABLE : /answer (is not valid HTTP|has a head of more)/);
    });
  }

  test('A09, B21: interim responses without end are cut after a handful', async (t) => {
    const flood = 'HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n'.repeat(100);
    let written = 0;
    const failure = await failureOfRaw(t, 'source_failed', (socket) => {
      const push = () => {
        while (!socket.destroyed && socket.write(flood)) written += flood.length;
      };
      socket.on('drain', push);
      push();
    });
    assert.match(failure.message, /more than 8 interim responses/);
    assert.ok(written < 20_000_000, 'the server could go on sending');
  });

  test('B21: 103 responses do not extend the timeout', async (t) => {
    await failureOfRaw(
      t,
      'source_timeout',
      (socket) => {
        const hints = setInterval(() => socket.write('HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n'), 50);
        socket.once('close', () => clearInterval(hints));
      },
      { timeoutMs: 200 },
    );
  });
});

test('B2, B3: invalid URLs are refused without a request', async (t) => {
  const { origin } = await fetched(t, (_request, response) => response.end());
  const fetch = openFetch(t, { allowPrivate: true });
  const { host } = new URL(origin.url);
  for (const url of [
    `http://u:hunter2@${host}/`,
    `http://${host}/a\nb`,
    `http://${host}/${'x'.repeat(8192)}`,
    '',
    'x',
  ]) {
    const failure = await failureOf(fetch(url, 'instances[0].url', context()), 'invalid_url');
    assert.match(failure.message, /^instances\[0\]\.url: the URL /);
    assert.doesNotMatch(failure.message + (failure.cause as Error).message, /hunter2/);
  }
  assert.equal(origin.requests.length, 0);
});

test('any text as a URL fails with a GatewayError', async (t) => {
  // No port is open, so nothing is connected to, whatever address the text has.
  const fetch = openFetch(t, { ports: [], lookup: names({}) });
  const texts = fc.oneof(
    fc.webUrl(),
    fc.string({ unit: 'binary' }),
    fc.ipV4().map((ip) => `http://${ip}/`),
  );
  await fc.assert(
    fc.asyncProperty(fc.constantFrom('', 'http://', 'https://u@', '//'), texts, async (start, rest) => {
      await failureOf(fetch(start + rest, 'url', context()));
    }),
    { numRuns: 200 },
  );
});

test('close ends the running fetches', async (t) => {
  const url = await startRawOrigin(t, () => {});
  const fetch = openFetch(t, { allowPrivate: true });
  const failing = fetch(url, 'url', context());
  await sleep(20);
  fetch.close();
  await failureOf(failing, 'source_failed');
});
