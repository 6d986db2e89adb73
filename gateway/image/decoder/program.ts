/**
 * The decoder process: pictures in on stdin, pixels of the model's size out on stdout, one at a time. Nothing of the
 * gateway is in here: no environment, no sockets, no keys. It ends when stdin does.
 */
import { readSync, writeSync } from 'node:fs';
import { GatewayError } from '../../errors.ts';
import type { ImageSpec, Resized } from '../../pipeline/request.ts';
import { type DecodeOptions, decode } from '../decode.ts';
import { createResampler, type Resampler } from '../resample.ts';
import { restrictSharp } from '../restrict.ts';
import type { Answer, Job, Limits } from './answer.ts';
import { type Frame, frameLengths, frameStart, PREFIX_BYTES, partFrame } from './frames.ts';

const STDIN = 0;
const STDOUT = 1;
const NOTHING = new Uint8Array(0);
/** sharp's pixels lie outside of the heap, where the collector notices them late: it is called after so many. */
const COLLECT_AFTER_BYTES = 16 * 2 ** 20;

const { maxBytes, ...limits } = JSON.parse(process.argv[2] ?? '{}') as Limits;
const resamplers = new Map<string, Resampler>();
let garbageBytes = 0;

/** Waits in the read itself: there is nothing else to do. Undefined at the end of stdin. */
function read(length: number): Uint8Array | undefined {
  const bytes = Buffer.allocUnsafeSlow(length);
  for (let filled = 0; filled < length; ) {
    const count = readSync(STDIN, bytes, filled, length - filled, null);
    if (count === 0) return undefined;
    filled += count;
  }
  return bytes;
}

function receive(): Frame | undefined {
  const prefix = read(PREFIX_BYTES);
  if (!prefix) return undefined;
  const [head, body] = frameLengths(prefix, maxBytes);
  const rest = read(head + body);
  return rest && partFrame(rest, head);
}

function send(head: Answer, body: Uint8Array): void {
  for (const bytes of [frameStart(head, body), body]) {
    for (let sent = 0; sent < bytes.length; ) sent += writeSync(STDOUT, bytes, sent);
  }
}

function resamplerOf(spec: ImageSpec): Resampler {
  const key = JSON.stringify(spec);
  const resampler = resamplers.get(key) ?? createResampler(spec);
  resamplers.set(key, resampler);
  return resampler;
}

async function answer({ field, spec }: Job, bytes: Uint8Array): Promise<[Answer, Uint8Array]> {
  try {
    const options: DecodeOptions = { ...limits, field, color: spec.color, engine: spec.engine };
    const pixels = await decode(bytes, options);
    garbageBytes += pixels.data.byteLength;
    return pixelsAnswer(resamplerOf(spec)(pixels));
  } catch (thrown) {
    const { message, cause } = thrown instanceof Error ? thrown : new Error(String(thrown));
    const kind = thrown instanceof GatewayError ? thrown.kind : 'internal';
    return [{ kind, detail: message, cause: cause instanceof Error ? cause.message : '' }, NOTHING];
  }
}

function pixelsAnswer({ width, height, channels, data }: Resized): [Answer, Uint8Array] {
  const samples = data instanceof Uint8Array ? 'uint8' : data instanceof Uint16Array ? 'uint16' : 'float32';
  const body = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return [{ width, height, channels, samples }, body];
}

restrictSharp(limits.formats);
send({}, NOTHING);
for (let job = receive(); job; job = receive()) {
  send(...(await answer(job.head as Job, job.body)));
  if (garbageBytes < COLLECT_AFTER_BYTES) continue;
  globalThis.gc?.();
  garbageBytes = 0;
}
