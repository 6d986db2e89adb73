/** D: requests that are malformed, too large, too slow, or sent to the wrong path. */
import { randomUUID } from 'node:crypto';
import { type Check, type Drill, Mismatch, Skip } from './check.ts';
import { expectEach, expectResponse, expectSameScores, expectWithin, scorePicture, scoresOf } from './expect.ts';
import { form, type Part } from './multipart.ts';
import { rawHead, sendRaw } from './raw.ts';
import { smuggling } from './smuggling.ts';

const INVALID = ['400 invalid_json', '400 invalid_request'] as const;
const BAD_FORM = ['400 invalid_request', '413 body_too_large'] as const;
const JSON_TYPE = 'Content-Type: application/json';

const b64 = ({ picture }: Drill) => picture.toString('base64');

export const REQUESTS: readonly Check[] = [
  {
    id: 'D1',
    sends: '{"url": 5}, {"url": ""}, {}, [], null, "x", an empty body, a byte order mark, UTF-16',
    expects: '400',
    run: ({ endpoint }) =>
      expectEach(
        {
          number: '{"url": 5}',
          empty: '{"url": ""}',
          'no field': '{}',
          list: '[]',
          null: 'null',
          text: '"x"',
          nothing: '',
          BOM: '\ufeff{"url": "http://a.example/"}',
          'UTF-16': Buffer.from('{"url": "x"}', 'utf16le'),
        },
        (body) => endpoint.predict(body, 'application/json'),
        ...INVALID,
      ),
  },
  {
    id: 'D2',
    sends: 'extra fields, a field twice',
    expects: '200; the last value is used',
    run: (drill) =>
      expectEach(
        { extra: `{"b64": "${b64(drill)}", "more": {"a": [1]}}`, twice: `{"b64": "AAAA", "b64": "${b64(drill)}"}` },
        drill.endpoint.predictJson,
        '200',
      ),
  },
  {
    id: 'D3',
    sends: 'truncated JSON, a trailing comma, 100,000 brackets',
    expects: '400 invalid_json',
    run: ({ endpoint }) =>
      expectEach(
        { cut: '{"url": ', comma: '{"url": "http://a.example/",}', brackets: '['.repeat(100_000) },
        endpoint.predictJson,
        '400 invalid_json',
      ),
  },
  {
    id: 'D4',
    sends: '__proto__ and constructor.prototype as fields',
    expects: '200 or 400, and unchanged scores afterwards',
    async run(drill) {
      const { endpoint, picture } = drill;
      const before = await scorePicture(endpoint, picture);
      const came = await expectEach(
        {
          proto: `{"__proto__": {"url": "http://a.example/", "polluted": 1}, "b64": "${b64(drill)}"}`,
          constructor: `{"constructor": {"prototype": {"polluted": 1}}, "b64": "${b64(drill)}"}`,
          alone: '{"__proto__": {"b64": "AAAA"}}',
        },
        endpoint.predictJson,
        '200',
        '400 invalid_request',
      );
      expectSameScores(before, await scorePicture(endpoint, picture), 'the picture afterwards');
      return came;
    },
  },
  {
    id: 'D5',
    sends: 'Content-Length: 10 GB, without a body',
    expects: '413',
    async run({ endpoint }) {
      const head = rawHead(endpoint, JSON_TYPE, 'Content-Length: 10000000000');
      const { statuses } = await sendRaw(endpoint, [head], { until: 'answered' });
      if (statuses[0] !== 413) throw new Mismatch(`${statuses[0] ?? 'no response'}, not 413`);
      return '413';
    },
  },
  {
    id: 'D6',
    sends: 'no Content-Type, text/plain, a form, JSON as latin1, brotli',
    expects: '415 unsupported_media',
    run: ({ endpoint }) =>
      expectEach(
        {
          none: {},
          text: { 'Content-Type': 'text/plain' },
          form: { 'Content-Type': 'application/x-www-form-urlencoded' },
          latin1: { 'Content-Type': 'application/json; charset=latin1' },
          brotli: { 'Content-Type': 'application/json', 'Content-Encoding': 'br' },
        },
        (headers) => endpoint.send(endpoint.predictPath, { method: 'POST', headers, body: '{}' }),
        '415',
      ),
  },
  {
    id: 'D7',
    sends: 'chunked with a length, two lengths, other request smuggling',
    expects: '400, connection closed, second request not answered',
    run: smuggling,
  },
  {
    id: 'D8',
    sends: 'a[]= in the query 2,000 times, 2,000 nested brackets',
    expects: 'ignored or 400, within 3 s',
    async run({ endpoint, picture }) {
      const more = endpoint.predictPath.includes('?') ? '&' : '?';
      const send = async (query: string) => {
        const headers = { 'Content-Type': 'image/png' };
        const path = `${endpoint.predictPath}${more}${query}`;
        const response = await endpoint.send(path, { method: 'POST', headers, body: picture });
        expectWithin(response, 3000);
        return response;
      };
      const queries = { many: 'a[]=&'.repeat(2000), deep: `a${'[b]'.repeat(2000)}=1` };
      return expectEach(queries, send, '200', '400 invalid_request', '414', '431');
    },
  },
  {
    id: 'D9',
    sends: 'other methods, other paths, //predict, /%2e%2e/',
    expects: '405 with Allow; 404',
    run: methodsAndPaths,
  },
  {
    id: 'D10',
    sends: 'uploads: wrong field, no file, no boundary, a 1 MiB part header, 10,000 parts; two files',
    expects: '400 or 413; 200 with two predictions',
    run: uploads,
  },
  {
    id: 'D11',
    sends: 'ten uploads that stop half-way',
    expects: 'a good request is answered afterwards',
    async run({ endpoint, picture }) {
      const head = rawHead(endpoint, 'Content-Type: image/png', `Content-Length: ${picture.length}`);
      const half = picture.subarray(0, picture.length / 2).toString('latin1');
      await Promise.all(Array.from({ length: 10 }, () => sendRaw(endpoint, [head, half], { timeoutMs: 500 })));
      return expectResponse(await endpoint.predictPicture(picture), '200');
    },
  },
  {
    id: 'D12',
    sends: 'batches of 0, 1, 4,097; one bad picture among four',
    expects: '400; 200; 413; 200 with three scores, and the error at its position',
    run: batches,
  },
  {
    id: 'D13-D15',
    sends: "TF-Serving's REST, Open Inference, Vertex, SageMaker",
    skipReason: 'the drill only tests /predict',
  },
  {
    id: 'D16',
    sends: 'a header of 16 KiB and one byte; X-Request-Id of 10 KB, in Latin-1, with a space',
    expects: '431; 200 with another X-Request-Id',
    async run({ endpoint, picture }) {
      const send = (headers: Record<string, string>) => endpoint.predict(picture, 'image/png', headers);
      const came = await expectEach({ large: { 'X-Large': 'a'.repeat(16_385) } }, send, '431', '400');
      for (const id of ['a'.repeat(10_000), 'k\u00e4se', `two ${randomUUID()}`]) {
        const response = await send({ 'X-Request-Id': id });
        expectResponse(response, '200');
        if (response.headers['x-request-id'] === id) throw new Mismatch('an invalid X-Request-Id is accepted');
      }
      return `${came}, 200 with another id`;
    },
  },
  {
    id: 'D17',
    sends: 'no key, a wrong key',
    expects: '401',
    async run({ endpoint, picture }) {
      if (endpoint.key === undefined) throw new Skip('no --key was given');
      const keys = { none: '', wrong: 'Bearer drill-wrong-key', empty: 'Bearer ' };
      const send = (Authorization: string) => endpoint.predict(picture, 'image/png', { Authorization });
      return expectEach(keys, send, '401', '403');
    },
  },
  {
    id: 'D18',
    sends: 'a request head at one byte per second',
    expects: 'closed within 20 s, another request answered meanwhile',
    async run({ endpoint, picture }) {
      const head = rawHead(endpoint, JSON_TYPE);
      const slow = sendRaw(endpoint, head, { everyMs: 1000, timeoutMs: 20_000 });
      const startedMs = performance.now();
      const came = expectResponse(await endpoint.predictPicture(picture), '200');
      const { closed } = await slow;
      if (!closed) throw new Mismatch('still open after 20 s');
      return `closed after ${Math.round((performance.now() - startedMs) / 1000)} s, ${came} meanwhile`;
    },
  },
  {
    id: 'D19',
    sends: 'Accept: text/html, Accept-Encoding: gzip',
    expects: 'JSON, not compressed below 1 KiB',
    async run({ endpoint, picture }) {
      const headers = { Accept: 'text/html', 'Accept-Encoding': 'gzip' };
      const response = await endpoint.predict(picture, 'image/png', headers);
      const { 'content-type': type = '', 'content-encoding': encoding } = response.headers;
      if (!type.startsWith('application/json')) throw new Mismatch(`Content-Type: ${type}`);
      if (encoding !== undefined && Number(response.headers['content-length']) < 1024)
        throw new Mismatch(`${encoding} of a small response`);
      return expectResponse(response, '200');
    },
  },
];

async function methodsAndPaths({ endpoint }: Drill): Promise<string> {
  for (const method of ['GET', 'PUT', 'DELETE', 'PATCH', 'HEAD']) {
    const response = await endpoint.send(endpoint.predictPath, { method });
    if (response.status !== 405) throw new Mismatch(`${method}: ${response.status}, not 405`);
    if (!/\bPOST\b/.test(response.headers.allow ?? '')) throw new Mismatch(`${method}: 405 without Allow: POST`);
  }
  await expectEach(
    { OPTIONS: 'OPTIONS' },
    (method) => endpoint.send(endpoint.predictPath, { method }),
    '405',
    '204',
    '200',
  );
  const paths = [
    '/drill-no-such-route',
    '//predict',
    '/predict/x',
    '/%2e%2e/',
    '/%2e%2e/predict',
    '/%ff',
    '/../predict',
  ];
  const named = Object.fromEntries(paths.map((path) => [path, path]));
  return `405; ${await expectEach(named, (path) => endpoint.send(path), '404', '400', '405', '401')}`;
}

async function uploads({ endpoint, picture }: Drill): Promise<string> {
  const file = (name: string, headers = ''): Part => ({ name, headers, bytes: picture });
  const send = ({ type, body }: ReturnType<typeof form>) => endpoint.predict(body, type);
  const bad = {
    'wrong field': form([file('photo')]),
    'no file': form([]),
    'no boundary': { ...form([file('file')]), type: 'multipart/form-data' },
    '1 MiB of header': form([file('file', `X-Long: ${'a'.repeat(2 ** 20)}\r\n`)]),
    '10,000 parts': form(
      Array.from({ length: 10_000 }, () => ({ name: 'file', headers: '', bytes: Buffer.from('x') })),
    ),
  };
  const came = await expectEach(bad, send, ...BAD_FORM);
  const two = await send(form([file('file'), file('file')]));
  expectResponse(two, '200');
  const { predictions = [] } = JSON.parse(two.text) as { predictions?: object[] };
  if (predictions.length !== 2) throw new Mismatch(`two files: ${predictions.length} predictions`);
  return `${came}; 200`;
}

async function batches(drill: Drill): Promise<string> {
  const { endpoint, picture } = drill;
  const good = { b64: b64(drill) };
  const send = (instances: readonly object[]) => endpoint.predictJson({ instances });
  await expectEach({ none: [] }, send, '400 invalid_request');
  await expectEach({ '4,097': Array(4097).fill({ b64: 'AAAA' }) }, send, '413 body_too_large');
  await expectEach({ one: [good] }, send, '200');
  const mixed = await send([good, good, { b64: 'AAAA' }, good]);
  expectResponse(mixed, '200');
  const { predictions = [] } = JSON.parse(mixed.text) as { predictions?: Record<string, unknown>[] };
  const errors = predictions.map((one) => 'error' in one);
  if (errors.join() !== 'false,false,true,false')
    throw new Mismatch('one bad picture among four: the error is not at its position');
  const scores = scoresOf({ ...mixed, text: JSON.stringify(predictions[3]) });
  expectSameScores(await scorePicture(endpoint, picture), scores, 'the last of four');
  return '400; 413; 200; 200 with one error';
}
