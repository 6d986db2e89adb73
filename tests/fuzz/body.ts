/**
 * Fuzzes the parsing of POST /predict: query, content type, body. References: JSON.parse, base64 encoded again, and fetch()
 * for data: URLs.
 */

import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { parse as parseQueryText } from 'node:querystring';
import { Readable } from 'node:stream';
import type { Request, Response } from 'express';
import { ownContext } from '../../gateway/domain/context.ts';
import { boundBodyMemory } from '../../gateway/door/body-memory.ts';
import type { Kind } from '../../gateway/errors.ts';
import { createBodyReader } from '../../gateway/http/body.ts';
import { createJsonCodec } from '../../gateway/http/json/codec.ts';
import { ByteBudget } from '../../gateway/machine/byte-budget.ts';
import type { ClassifyRequest } from '../../gateway/pipeline/classify.ts';
import type { FoundModel } from '../../gateway/pipeline/records.ts';
import { predictHandler } from '../../gateway/protocol/predict/routes.ts';
import type { Parser } from './fuzz.ts';
import { checkRefusal } from './refusal.ts';

const MAX_INSTANCES = 8;
const limits = {
  maxBodyBytes: 100_000,
  maxImageBytes: 50_000,
  maxInstances: MAX_INSTANCES,
  hold: boundBodyMemory(new ByteBudget(400_000)),
  codec: createJsonCodec(64e6),
};
const KINDS: readonly Kind[] = ['invalid_json', 'invalid_request', 'body_too_large', 'unsupported_media'];
const log = { debug() {}, info() {}, warn() {}, error() {} };

export const body: Parser = {
  name: 'body',
  words: [
    ...[
      'application/json',
      'multipart/form-data; boundary=b',
      'image/png',
      '; charset=utf-8',
      'top=1',
      'scores=probabilities',
    ],
    ...[
      '{"url": "http://a/"}',
      '"instances": [',
      '"b64": "AAAA"',
      'data:image/png;base64,AAAA',
      '"url": null',
      '%41',
      '\\n',
      '__proto__',
      '"constructor"',
      '\\ud800',
      '\\u0000',
      '1e999',
    ],
    ...[
      '--b\r\n',
      '\r\n\r\n',
      '--b--\r\n',
      'Content-Disposition: form-data; name="file"; filename="a"\r\n',
      '[[[[[[[[',
      '{"a":',
    ],
  ],
  /** The input is a line with the query, a line with the content type, and the body. */
  async check(input) {
    const accepted: ClassifyRequest[] = [];
    const predict = predictHandler({
      readBody: createBodyReader(limits),
      maxInstances: MAX_INSTANCES,
      check: () => undefined,
      find: async (servable) => ({ servable, routed: { card: {} } as FoundModel['routed'], table: undefined }),
      records: {
        predict: () => assert.fail(),
        write: () => assert.fail(),
        maxBodyBytes: limits.maxBodyBytes,
      },
      classify: async (request) => {
        accepted.push(request);
        return { model: 'm', version: 1, outcomes: [] } as never;
      },
    });
    const { request, type, bytes } = requestOf(Buffer.from(input));
    try {
      await predict(request, new EventEmitter() as Response, ownContext(new AbortController().signal, log));
    } catch (error) {
      checkRefusal(error, KINDS);
    }
    for (const { instances, top } of accepted) checkInstances(instances, top);
    if (/^application\/json\b/i.test(type)) await checkAgainstJson(bytes, accepted[0]);
    assert.deepEqual(Object.keys(Object.prototype), []);
  },
};

/** A request as express would pass it: the stream, its headers and its parsed query. */
function requestOf(input: Buffer): { request: Request; type: string; bytes: Buffer } {
  const [query, afterQuery] = line(input);
  const [type, bytes] = line(afterQuery);
  const headers: Record<string, string> = { 'content-type': type, 'content-length': String(bytes.length) };
  const stream = Readable.from(bytes.length > 0 ? [bytes] : [], { objectMode: false });
  const request = Object.assign(stream, {
    headers,
    query: parseQueryText(query),
    get: (name: string) => headers[name.toLowerCase()],
  });
  return { request: request as unknown as Request, type, bytes };
}

function line(bytes: Buffer): [text: string, rest: Buffer] {
  const end = bytes.indexOf('\n');
  if (end < 0) return [bytes.toString('latin1'), Buffer.alloc(0)];
  return [bytes.toString('latin1', 0, end), bytes.subarray(end + 1)];
}

function checkInstances(instances: ClassifyRequest['instances'], top: number | undefined): void {
  assert.ok(instances.length >= 1 && instances.length <= MAX_INSTANCES);
  assert.ok(top === undefined || (Number.isInteger(top) && top > 0));
  for (const instance of instances) {
    assert.ok(instance.field.length < 30, instance.field);
    if (instance.kind === 'url') assert.ok(instance.url.length > 0);
    else assert.ok(instance.bytes.length <= limits.maxBodyBytes);
  }
}

/** Every URL and picture must arrive as JSON.parse reads it. */
async function checkAgainstJson(bytes: Buffer, accepted: ClassifyRequest | undefined): Promise<void> {
  const parsed = parseJson(bytes);
  const written = Array.isArray(parsed?.instances) ? parsed.instances : [parsed];
  for (const [index, instance] of (accepted?.instances ?? []).entries()) {
    const { url, b64 } = written[index] as { url?: string | null; b64?: string | null };
    const text = b64 ?? url ?? '';
    if (instance.kind === 'url') assert.equal(instance.url, url);
    else if (/^\s*data:/i.test(text)) await checkDataUrl(text, instance.bytes);
    else assert.equal(Buffer.from(instance.bytes).toString('base64url').length, digitsOf(text));
  }
}

function digitsOf(base64: string): number {
  return base64.replace(/[\t\n\f\r ]/g, '').replace(/={1,2}$/, '').length;
}

/** fetch() removes white space and fragments first, and refuses the URL alphabet. */
async function checkDataUrl(url: string, bytes: Uint8Array): Promise<void> {
  if (/[\s#]/.test(url)) return;
  const response = await fetch(url).catch(() => undefined);
  if (response) assert.deepEqual(Buffer.from(bytes), Buffer.from(await response.arrayBuffer()));
}

function parseJson(bytes: Buffer): Record<string, unknown> | undefined {
  try {
    return JSON.parse(bytes.toString()) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
