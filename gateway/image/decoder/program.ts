/**
 * The program of a decoder process. It decodes one picture at a time: a job on stdin, a reply of one JSON line on
 * stdout, the pixels in a file shared with the gateway. It has no environment, sockets or keys of the gateway. It ends
 * when stdin does.
 */
import { readSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import type { ImageSpec, Resized } from '../../domain/picture.ts';
import { GatewayError } from '../../errors.ts';
import { type DecodeOptions, decodeBySharp } from '../decode-by-sharp.ts';
import { free } from '../free.ts';
import { createResampler, type Resampler } from '../resample.ts';
import { restrictSharp } from '../restrict-sharp.ts';
import { type Message, PREFIX_BYTES, parseMessage, readLengths } from './messages.ts';
import type { DecodeLimits, Job, Reply } from './reply.ts';
import { markDecoding, writePixels, writeWhole } from './shared-file.ts';

const STDIN = 0;
const STDOUT = 1;
/** The fourth entry of `stdio` in spawn.ts. */
const SHARED_FILE = 3;

const limits = JSON.parse(process.argv[2] ?? '{}') as DecodeLimits;
const resamplers = new Map<string, Resampler>();

/** Blocks until the bytes are there: this process has nothing else to do. Undefined at the end of stdin. */
function read(length: number): Uint8Array | undefined {
  const bytes = Buffer.allocUnsafeSlow(length);
  for (let filled = 0; filled < length; ) {
    const count = readSync(STDIN, bytes, filled, length - filled, null);
    if (count === 0) return undefined;
    filled += count;
  }
  return bytes;
}

function receive(): Message | undefined {
  const prefix = read(PREFIX_BYTES);
  if (!prefix) return undefined;
  const [head, body] = readLengths(prefix, limits.maxBytes);
  const bytes = read(head + body);
  return bytes && parseMessage(bytes, head);
}

function send(reply: Reply): void {
  writeWhole(STDOUT, Buffer.from(`${JSON.stringify(reply)}\n`), null);
}

function resamplerOf(spec: ImageSpec): Resampler {
  const key = JSON.stringify(spec);
  const resampler = resamplers.get(key) ?? createResampler(spec);
  resamplers.set(key, resampler);
  return resampler;
}

/** Saves the compiled code to the compile cache, then drops the right to write files. */
function dropWriteRight(): void {
  flushCompileCache();
  // @types/node does not have `drop` yet.
  (process.permission as { drop?(scope: string): void } | undefined)?.drop?.('fs.write');
}

async function run({ field, spec }: Job, bytes: Uint8Array): Promise<Reply> {
  markDecoding(SHARED_FILE, true);
  try {
    const options: DecodeOptions = { ...limits, field, color: spec.color, engine: spec.engine };
    const pixels = await decodeBySharp(bytes, options);
    const resized = resamplerOf(spec)(pixels);
    free(pixels.data);
    return store(resized);
  } catch (thrown) {
    const { message, cause } = thrown instanceof Error ? thrown : new Error(String(thrown));
    const kind = thrown instanceof GatewayError ? thrown.kind : 'internal';
    return { kind, detail: message, cause: cause instanceof Error ? cause.message : '' };
  } finally {
    markDecoding(SHARED_FILE, false);
  }
}

/** Puts the pixels into the shared file, or into the reply where the file has no room. */
function store({ width, height, channels, data }: Resized): Reply {
  const samples = data instanceof Uint8Array ? 'uint8' : data instanceof Uint16Array ? 'uint16' : 'float32';
  const reply = { width, height, channels, samples } as const;
  try {
    writePixels(SHARED_FILE, data);
    return reply;
  } catch {
    return { ...reply, base64: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64') };
  } finally {
    free(data);
  }
}

restrictSharp(limits.formats);
dropWriteRight();
for (let job = receive(); job; job = receive()) {
  send(await run(job.head as Job, job.body));
  free(job.body);
}
