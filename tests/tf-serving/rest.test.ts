/** The same requests to the gateway and to TF-Serving's REST port: the same statuses, JSON and texts. Skipped without it. */
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { JsonDecimal, parseExactJson } from '../../gateway/tensor/exact-json.ts';
import { type RunningGateway, startGateway } from '../gateway.ts';
import { modelsFolder } from '../models.ts';
import { DIFFERENCES } from './rest-differences.ts';
import {
  documentRequests,
  exampleRequests,
  pathRequests,
  type RestRequest,
  tensorRequests,
  valueMistakes,
} from './rest-requests.ts';
import { findPython, freePort, makeModels, startTensorFlowServing } from './server.ts';

const NAMES = ['churn', 'dtypes', 'examples', 'versions'];
const CARDS = Object.fromEntries(
  NAMES.map((name) => [name, `name: ${name}\n${name === 'examples' ? 'signature: regress\n' : ''}`]),
);

const python = await findPython();

type Came = { readonly status: number; readonly body: unknown };

/** The status and the text of an answer. */
async function send(url: string, { method, path, body }: RestRequest): Promise<{ status: number; text: string }> {
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  const response = await fetch(`${url}/v1/models${path === '' ? '' : '/'}${path}`, {
    method: method ?? (text === undefined ? 'GET' : 'POST'),
    ...(text !== undefined && { body: text }),
  });
  return { status: response.status, text: await response.text() };
}

async function ask(url: string, request: RestRequest): Promise<Came> {
  const { status, text } = await send(url, request);
  const isDouble = JSON.stringify(request).includes('float64');
  return { status, body: comparable(parseLoose(text), isDouble) };
}

/** TF-Serving writes NaN and Infinity as literals, the gateway as strings. */
function parseLoose(text: string): unknown {
  return parseExactJson(
    text.replaceAll(/"(?:[^"\\]|\\.)*"|-?Infinity|NaN/g, (one) => (one.startsWith('"') ? one : `"${one}"`)),
  );
}

/** Floats as the float32 that they name, integers with all digits. The positions of parse errors are left out. */
function comparable(value: unknown, isDouble: boolean): unknown {
  if (value instanceof JsonDecimal || typeof value === 'number') {
    const number = value instanceof JsonDecimal ? value.value : value;
    const rounded = isDouble || Number.isSafeInteger(value) ? number : Math.fround(number);
    return Number.isInteger(rounded) ? String(BigInt(rounded)) : rounded;
  }
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'string') return value.replace(/(Parse error: Invalid value\. at offset:) \d+/, '$1');
  if (Array.isArray(value)) return value.map((item) => comparable(item, isDouble));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, comparable(item, isDouble)]));
}

describe('the REST API beside TF-Serving', { skip: 'missing' in python ? python.missing : false }, () => {
  const cleanups: (() => unknown)[] = [];
  after(async () => {
    for (const cleanup of cleanups.reverse()) await cleanup();
  });
  let theirs = '';
  let gateway: RunningGateway;

  before(async () => {
    assert.ok('program' in python);
    const saved = await makeModels(python.program, ...NAMES);
    cleanups.push(() => rm(saved, { recursive: true }));
    const restPort = await freePort();
    const flags = [`--rest_api_port=${restPort}`];
    const server = await startTensorFlowServing(python.program, saved, { names: NAMES, flags });
    cleanups.push(server.stop);
    theirs = `http://127.0.0.1:${restPort}`;
    const MODELS = await modelsFolder({ after: (work: () => unknown) => cleanups.push(work) } as never, CARDS);
    gateway = await startGateway({ MODELS, TF_SERVING_HOST: server.target });
    cleanups.push(() => gateway.stop());
    await gateway.ready();
  });

  const SETS: Readonly<Record<string, readonly RestRequest[]>> = {
    'tensors of every type, shape and form': tensorRequests(),
    'values that are no tensors': valueMistakes(),
    'documents and names': documentRequests(),
    'paths, versions and labels': pathRequests(),
    'Classify and Regress': exampleRequests(),
  };
  for (const [name, requests] of Object.entries(SETS)) {
    test(`D13: ${name}: ${requests.length} requests`, async (t) => {
      const statuses = new Map<number, number>();
      const differences: string[] = [];
      for (const request of requests) {
        const [ours, wanted] = await Promise.all([ask(gateway.url, request), ask(theirs, request)]);
        statuses.set(wanted.status, (statuses.get(wanted.status) ?? 0) + 1);
        try {
          assert.deepEqual(ours, wanted);
        } catch {
          differences.push(
            `${JSON.stringify(request)}\n  ours   ${JSON.stringify(ours)}\n  theirs ${JSON.stringify(wanted)}`,
          );
        }
      }
      t.diagnostic(
        `came: ${requests.length} requests, ${[...statuses].map(([status, count]) => `${count} x ${status}`)}`,
      );
      assert.deepEqual(differences, [], differences.join('\n'));
    });
  }

  test(`${DIFFERENCES.length} requests are answered otherwise, on purpose`, async () => {
    for (const request of DIFFERENCES) {
      const [ours, wanted] = await Promise.all([send(gateway.url, request), send(theirs, request)]);
      const came = JSON.stringify({ request, ours, theirs: wanted });
      assert.deepEqual([ours.status, wanted.status], [request.ours[0], request.theirs[0]], came);
      assert.match(ours.text, request.ours[1], came);
      assert.match(wanted.text, request.theirs[1], came);
    }
  });
});
