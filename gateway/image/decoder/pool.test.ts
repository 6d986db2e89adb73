import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import sharp from 'sharp';
import { readConfig } from '../../config/read.ts';
import type { ImageSpec } from '../../domain/picture.ts';
import { decoderMemory } from '../../machine/decoder-memory.ts';
import { createPool } from '../../tensor/pool.ts';
import { decode } from '../decode.ts';
import { checkHeader } from '../header-check.ts';
import { createResampler } from '../resample.ts';
import { testSpec } from '../test-spec.ts';
import { createTurns } from '../turns.ts';
import { createDecoders, type DecoderOptions, type Decoders } from './pool.ts';

const read = (name: string) => readFileSync(new URL(`../../../tests/golden/images/${name}`, import.meta.url));
const photo = read('png-rgb8.png');

const SPEC = testSpec({ size: [40, 30] });
const { imageFormats: formats } = readConfig({}, {});
const LIMITS = { formats, maxPixels: 50e6, maxBytes: 10e6 };
const log = { debug() {}, info() {}, warn() {}, error() {} };

type Pool = Decoders & {
  readonly losses: string[];
  ask(bytes: Uint8Array, signal?: AbortSignal): ReturnType<Decoders['decode']>;
};
type Change = Partial<DecoderOptions> & { readonly pixelsAtOnce?: number };

function start(t: TestContext, { count = 2, pixelsAtOnce = 100e6, ...change }: Change = {}): Pool {
  const losses: string[] = [];
  const options = { ...LIMITS, timeoutMs: 20_000, memory: createPool(0), log, ...change };
  const turns = createTurns(count, pixelsAtOnce);
  const decoders = createDecoders({ count, turns, onLoss: (why) => losses.push(why), ...options });
  t.after(decoders.close);
  const field = 'instances[3].url';
  return Object.assign(decoders, {
    losses,
    ask(bytes: Uint8Array, signal = new AbortController().signal) {
      const { cost } = checkHeader(bytes, { field, ...LIMITS });
      return decoders.decode({ field, spec: SPEC }, bytes, cost, signal);
    },
  });
}

/** A slow picture: nine million pixels, interlaced. */
const slow = await sharp({ create: { width: 3000, height: 3000, channels: 3, background: 'teal' } })
  .png({ progressive: true })
  .toBuffer();

test('a decoder process gives the same pixels as decoding in this process, for each type of samples', async (t) => {
  const decoders = start(t);
  const specs: [string, ImageSpec, string][] = [
    ['jpg-420.jpg', SPEC, 'Uint8Array'],
    ['png-l16.png', { ...SPEC, color: 'grayscale' }, 'Uint16Array'],
    ['png-rgba8.png', { ...SPEC, engine: 'tensorflow', resize: 'bicubic' }, 'Float32Array'],
  ];
  for (const [name, spec, type] of specs) {
    const { signal } = new AbortController();
    const { release, ...pixels } = await decoders.decode({ field: 'x', spec }, read(name), 1, signal);
    assert.equal(pixels.data.constructor.name, type);
    const { color, engine } = spec;
    const expected = createResampler(spec)(await decode(read(name), { ...LIMITS, field: 'x', color, engine }));
    assert.deepEqual(pixels, expected);
  }
});

test("an error keeps its kind, its field and the library's error as the cause", async (t) => {
  const pool = start(t);
  await assert.rejects(pool.ask(read('jpg-bad-truncated-half.jpg')), (error: Error & { kind?: string }) => {
    assert.deepEqual([error.kind, error.message.slice(0, 16)], ['image_unreadable', 'instances[3].url']);
    return error.cause instanceof Error && /jpeg/i.test(error.cause.message);
  });
  assert.deepEqual(pool.losses, []);
});

test('F8: a crash of a decoder fails one request; the process is replaced and the others succeed', async (t) => {
  const pool = start(t);
  await Promise.all([pool.ask(slow), pool.ask(slow)]);
  const before = pool.pids;
  const asked = [pool.ask(slow), pool.ask(slow)];
  await sleep(50);
  process.kill(before[0] ?? 0, 'SIGSEGV');
  const outcomes = await Promise.allSettled([...asked, ...Array.from({ length: 6 }, () => pool.ask(photo))]);
  const failed = outcomes.filter((outcome) => outcome.status === 'rejected');
  assert.deepEqual(
    failed.map(({ reason }) => reason.kind),
    ['internal'],
  );
  assert.match(failed[0]?.reason.cause.message, /SIGSEGV/);
  assert.deepEqual(pool.losses, ['crash']);
  assert.equal(pool.pids.filter((pid) => before.includes(pid)).length, 1);
  assert.equal(pool.pids.length, 2);
});

test('C17: a picture over DECODE_TIMEOUT is refused and its process replaced; others are not affected', async (t) => {
  const pool = start(t, { count: 1, timeoutMs: 20_000 });
  await pool.ask(photo);
  const quick = start(t, { count: 1, timeoutMs: 100 });
  const startedMs = performance.now();
  await assert.rejects(quick.ask(slow), { kind: 'image_unreadable', message: /takes more than 100 ms to decode/ });
  t.diagnostic(`came: image_unreadable after ${(performance.now() - startedMs).toFixed(0)} ms, start included`);
  assert.deepEqual(quick.losses, ['timeout']);
  await pool.ask(slow);
});

test('C17: a decoder that hangs on a picture is killed after DECODE_TIMEOUT', async (t) => {
  const pool = start(t, { count: 1, timeoutMs: 1000 });
  await pool.ask(photo);
  const [pid = 0] = pool.pids;
  const asked = pool.ask(slow);
  await sleep(20);
  process.kill(pid, 'SIGSTOP');
  await assert.rejects(asked, { kind: 'image_unreadable' });
  assert.deepEqual(pool.losses, ['timeout']);
  await pool.ask(photo);
  assert.ok(!pool.pids.includes(pid));
});

test('A07: a picture that was answered in time counts where the event loop is late, and its process stays', async (t) => {
  const pool = start(t, { count: 1, timeoutMs: 300 });
  await pool.ask(photo);
  const before = pool.pids;
  const asked = pool.ask(photo);
  await new Promise(setImmediate); // the picture is sent
  const untilMs = performance.now() + 500;
  while (performance.now() < untilMs);
  await asked;
  await pool.ask(photo);
  assert.deepEqual(pool.pids, before);
  assert.deepEqual(pool.losses, []);
});

test('A07: a picture whose time ends as it is answered does not fail the next one', async (t) => {
  const startedMs = performance.now();
  const quick = start(t, { count: 1 });
  await quick.ask(slow);
  const askedMs = performance.now();
  await quick.ask(slow);
  const timeoutMs = Math.round(performance.now() - askedMs);
  const pool = start(t, { count: 1, timeoutMs });
  const outcomes: string[] = [];
  for (let round = 0; round < 6; round += 1) {
    const [first, second] = await Promise.allSettled([pool.ask(slow), pool.ask(photo)]);
    outcomes.push(first.status === 'fulfilled' ? 'in time' : first.reason.kind);
    assert.equal(second.status, 'fulfilled');
  }
  t.diagnostic(`came: ${outcomes} in ${Math.round(performance.now() - startedMs)} ms; each next picture was decoded`);
});

test('A07: a picture that its process has not begun is decoded by the next one', async (t) => {
  const pool = start(t, { count: 1, timeoutMs: 1000 });
  await pool.ask(photo);
  for (const signal of ['SIGKILL', 'SIGSTOP'] as const) {
    process.kill(pool.pids[0] ?? 0, signal);
    await pool.ask(photo);
  }
  assert.deepEqual(pool.losses, []);
});

test('C18: fifty pictures of the largest size at once are queued, and memory stays that of one', async (t) => {
  const largest = await sharp({ create: { width: 2000, height: 2000, channels: 3, background: 'teal' } })
    .png()
    .toBuffer();
  const pool = start(t, { maxPixels: 4e6, pixelsAtOnce: 4e6 });
  await Promise.all([pool.ask(photo), pool.ask(photo)]);
  const before = process.memoryUsage.rss();
  let peak = 0;
  const watch = setInterval(() => {
    peak = Math.max(
      peak,
      pool.pids.map(residentBytes).reduce((sum, bytes) => sum + bytes),
    );
  }, 10);
  await Promise.all(Array.from({ length: 50 }, () => pool.ask(largest)));
  clearInterval(watch);
  const { neededBytes } = decoderMemory(2, 4e6, 0);
  t.diagnostic(`came: 50 pictures; decoders peak at ${Math.round(peak / 1e6)} MB, the rule has ${neededBytes / 1e6}`);
  assert.ok(peak < neededBytes && process.memoryUsage.rss() - before < 50e6);
  assert.deepEqual(pool.losses, []);
});

test('A12: while no process can decode, pictures are refused; starts are paced', async (t) => {
  const failures: number[] = [];
  const error = () => void failures.push(performance.now());
  const pool = start(t, { formats: ['jpeg', 'none' as 'jpeg'], log: { ...log, error } });
  pool.start();
  await assert.rejects(pool.ask(photo), { kind: 'overloaded', status: 503 });
  assert.match(pool.problem ?? '', /no decoder process works/);
  await assert.rejects(pool.ask(photo), { kind: 'overloaded', status: 503 });
  assert.ok(failures.length <= 6, `${failures.length} failures`);
});

test('a decoder does not have the environment of the gateway', async (t) => {
  const pool = start(t, { count: 1 });
  await pool.ask(photo);
  const environment = readFileSync(`/proc/${pool.pids[0]}/environ`, 'utf8').split('\0');
  // Where this process has a compile cache, decoders have their own.
  const others = environment.filter((one) => one !== '' && !/^NODE_COMPILE_CACHE=.+decoders$/.test(one));
  assert.deepEqual(others.sort(), ['MALLOC_ARENA_MAX=1', 'UV_THREADPOOL_SIZE=1']);
});

function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) * 1024;
}
