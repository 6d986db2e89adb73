/**
 * The decoder process, one picture at a time: in on stdin, an answer of one line out on stdout, the pixels in the file that
 * the gateway shares with it. Nothing of the gateway is in here: no environment, no sockets, no keys. It ends when stdin does.
 */
import { readSync, writeSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import sharp from 'sharp';
import type { ImageSpec, Resized } from '../../domain/picture.ts';
import { GatewayError } from '../../errors.ts';
import { type DecodeOptions, decode } from '../decode.ts';
import { free } from '../free.ts';
import { createResampler, type Resampler } from '../resample.ts';
import { restrictSharp } from '../restrict.ts';
import type { Answer, Job, Limits } from './answer.ts';
import { type Frame, frameLengths, PREFIX_BYTES, partFrame } from './frames.ts';

const STDIN = 0;
const STDOUT = 1;
/** The shared file, as process.ts has it. */
const PIXELS = 3;

const { maxBytes, ...limits } = JSON.parse(process.argv[2] ?? '{}') as Limits;
const resamplers = new Map<string, Resampler>();

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

function writeWhole(file: number, bytes: Uint8Array, position: number | null): void {
  for (let sent = 0; sent < bytes.length; ) {
    sent += writeSync(file, bytes, sent, bytes.length - sent, position === null ? null : position + sent);
  }
}

function tell(answer: Answer): void {
  writeWhole(STDOUT, Buffer.from(`${JSON.stringify(answer)}\n`), null);
}

function resamplerOf(spec: ImageSpec): Resampler {
  const key = JSON.stringify(spec);
  const resampler = resamplers.get(key) ?? createResampler(spec);
  resamplers.set(key, resampler);
  return resampler;
}

/** Keeps the code that is loaded now, compiled, and gives up the right to write it. */
function forbidWrites(): void {
  flushCompileCache();
  // Newer than Node's types.
  (process.permission as { drop?(scope: string): void } | undefined)?.drop?.('fs.write');
}

async function answer({ field, spec }: Job, bytes: Uint8Array): Promise<Answer> {
  try {
    const options: DecodeOptions = { ...limits, field, color: spec.color, engine: spec.engine };
    const pixels = await decode(bytes, options);
    const resized = resamplerOf(spec)(pixels);
    free(pixels.data);
    writeWhole(PIXELS, new Uint8Array(resized.data.buffer, resized.data.byteOffset, resized.data.byteLength), 0);
    const described = describe(resized);
    free(resized.data);
    return described;
  } catch (thrown) {
    const { message, cause } = thrown instanceof Error ? thrown : new Error(String(thrown));
    const kind = thrown instanceof GatewayError ? thrown.kind : 'internal';
    return { kind, detail: message, cause: cause instanceof Error ? cause.message : '' };
  }
}

function describe({ width, height, channels, data }: Resized): Answer {
  const samples = data instanceof Uint8Array ? 'uint8' : data instanceof Uint16Array ? 'uint16' : 'float32';
  return { width, height, channels, samples };
}

/** Decodes a pixel: what the first picture would wait for is code that has never run. */
async function warmUp(): Promise<void> {
  if (!limits.formats.includes('jpeg')) return;
  const pixel = sharp({ create: { width: 1, height: 1, channels: 3, background: 'grey' } });
  await decode(await pixel.jpeg().toBuffer(), { ...limits, field: 'pixel', color: 'rgb', engine: 'pillow' });
}

restrictSharp(limits.formats);
forbidWrites();
tell({});
await warmUp();
for (let job = receive(); job; job = receive()) {
  tell(await answer(job.head as Job, job.body));
  free(job.body);
}
