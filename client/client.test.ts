/** The client's requests, retries and failures, with answers of the test's own. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ClientOptions, createClient, TensorgateError } from './client.ts';

const PROBLEM = {
  type: 'urn:tensorgate:error:overloaded',
  title: 'Too many requests are in flight',
  status: 429,
  detail: 'The queue is full; try again later.',
  kind: 'overloaded',
  request_id: 'r1',
};
const busy = (retryAfter?: string) =>
  Response.json(PROBLEM, {
    status: 429,
    headers: { 'X-Request-Id': 'r1', ...(retryAfter && { 'Retry-After': retryAfter }) },
  });
const scores = () => Response.json({ pants: 9.9 }, { headers: { 'X-Model-Version': '3', 'X-Request-Id': 'r2' } });

/** A client whose requests get these answers, the last one again and again. */
function clientOf(answers: readonly (() => Response | Promise<Response>)[], options: Partial<ClientOptions> = {}) {
  const sent: Request[] = [];
  const fetch = async (url: string | URL | Request, init?: RequestInit) => {
    sent.push(new Request(url, init));
    return (answers[sent.length - 1] ?? answers.at(-1) ?? assert.fail())();
  };
  return { client: createClient({ url: 'http://gateway/prefix', fetch, ...options }), sent };
}

/** What the request has: path with query, type and body. */
async function shown(request: Request | undefined) {
  assert.ok(request);
  const { pathname, search } = new URL(request.url);
  return [`${pathname}${search}`, request.headers.get('content-type'), await request.text()];
}

test('each kind of input has its body, and options are the query', async () => {
  const { client, sent } = clientOf([scores]);
  const { data, modelVersion, requestId } = await client.predict('https://a.example/pants.jpg', { top: 3, model: 'm' });
  assert.deepEqual([data.pants, modelVersion, requestId], [9.9, 3, 'r2']);
  await client.predict(new Blob(['jpeg'], { type: 'image/jpeg' }));
  await client.predict(Buffer.from('bytes'), { version: 2, scores: 'probabilities' });
  await client.predict({ tenure: 24 }, { label: undefined });
  await client.predict({ instances: [{ b64: 'AAAA' }] });
  assert.deepEqual(await Promise.all(sent.map(shown)), [
    ['/prefix/predict?top=3&model=m', 'application/json', '{"url":"https://a.example/pants.jpg"}'],
    ['/prefix/predict', 'image/jpeg', 'jpeg'],
    ['/prefix/predict?version=2&scores=probabilities', 'application/octet-stream', 'bytes'],
    ['/prefix/predict', 'application/json', '{"tenure":24}'],
    ['/prefix/predict', 'application/json', '{"instances":[{"b64":"AAAA"}]}'],
  ]);
});

test('a list of files is one form, and any other list is refused', async () => {
  const { client, sent } = clientOf([scores]);
  await client.predict([new File(['one'], 'one.jpg'), new Uint8Array([50])]);
  const parts = (await sent[0]?.formData())?.getAll('file') as File[];
  assert.deepEqual(await Promise.all(parts.map(async (part) => [part.name, await part.text()])), [
    ['one.jpg', 'one'],
    ['picture-1', '2'],
  ]);
  const isRefused = (error: Error) => error instanceof TypeError && error.message.includes('{ instances: […] }');
  await assert.rejects(client.predict([]), isRefused);
  await assert.rejects(client.predict(['https://a.example/pants.jpg'] as never), isRefused);
});

test('the API key and the id of the request are headers', async () => {
  const { client, sent } = clientOf([() => Response.json({ models: [] })], { apiKey: 'k' });
  await client.models({ requestId: 'mine' });
  assert.deepEqual([sent[0]?.headers.get('x-api-key'), sent[0]?.headers.get('x-request-id')], ['k', 'mine']);
});

test('429 and 503 are tried again after Retry-After, in seconds or as a date', async () => {
  const date = new Date(Date.now() - 1000).toUTCString();
  const { client, sent } = clientOf([
    () => busy('0'),
    () => new Response('', { status: 503, headers: { 'Retry-After': date } }),
    scores,
  ]);
  assert.equal((await client.predict('https://a.example')).data.pants, 9.9);
  assert.equal(sent.length, 3);
});

test('it gives up after the retries, with the problem', async () => {
  const { client, sent } = clientOf([() => busy('0')]);
  await assert.rejects(client.predict('https://a.example', { retries: 2 }), (error) => {
    assert.ok(error instanceof TensorgateError);
    const { kind, status, message, problem, requestId, retryAfterMs } = error;
    assert.deepEqual(
      { kind, status, message, problem, requestId, retryAfterMs },
      { kind: 'overloaded', status: 429, message: PROBLEM.detail, problem: PROBLEM, requestId: 'r1', retryAfterMs: 0 },
    );
    return true;
  });
  assert.equal(sent.length, 3);
});

test('it does not wait longer than its time', async () => {
  const { client, sent } = clientOf([() => busy('3600')]);
  await assert.rejects(client.predict('https://a.example'), { kind: 'overloaded', retryAfterMs: 3_600_000 });
  assert.equal(sent.length, 1);
});

test("other failures are not tried again, and an answer that is not the gateway's says so", async () => {
  for (const [answer, kind] of [
    [() => Response.json({ ...PROBLEM, kind: 'invalid_url', status: 400 }, { status: 400 }), 'invalid_url'],
    [() => new Response('<html>Bad gateway', { status: 502 }), 'unexpected_answer'],
    [() => new Response('<html>Log in', { status: 200 }), 'unexpected_answer'],
    [() => Promise.reject(new TypeError('fetch failed')), 'unreachable'],
  ] as const) {
    const { client, sent } = clientOf([answer]);
    await assert.rejects(client.models(), { name: 'TensorgateError', kind });
    assert.equal(sent.length, 1);
  }
});

test('the signal of the caller ends a request and a wait, with its reason', async () => {
  const never = (init?: RequestInit) =>
    new Promise<Response>((_, reject) => {
      init?.signal?.addEventListener('abort', () => reject(init.signal?.reason));
    });
  const reason = new Error('left the page');
  for (const fetch of [(_: unknown, init?: RequestInit) => never(init), async () => busy('10')]) {
    const ending = new AbortController();
    const call = createClient({ url: 'http://gateway', fetch }).predict('https://a.example', { signal: ending.signal });
    setImmediate(() => ending.abort(reason));
    await assert.rejects(call, reason);
  }
  const slow = createClient({ url: 'http://gateway', fetch: (_, init) => never(init), timeoutMs: 20 });
  await assert.rejects(slow.models(), { kind: 'timeout', message: 'no answer in 20 ms' });
});

test('a URL that is not absolute is refused', () => {
  assert.throws(() => createClient({ url: '/api' }), TypeError);
});
