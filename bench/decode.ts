/**
 * Compares the gateway's way of decoding (the main thread, worker threads, processes) with decoding at once in this
 * process: CPU time, latency and memory for the same images, from encoded bytes to samples of the model's size. Rounds
 * alternate, to spread the effect of other load on the machine. Figures include this process and all decoders.
 */
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { readConfig } from '../gateway/config/read.ts';
import type { FreeRows, ImageSpec } from '../gateway/domain/picture.ts';
import { testContext } from '../gateway/domain/test-context.ts';
import { type DecodeOptions, decode } from '../gateway/image/decode.ts';
import { openPictures } from '../gateway/image/pictures.ts';
import { createResampler } from '../gateway/image/resample.ts';
import { restrictSharp } from '../gateway/image/restrict-sharp.ts';
import { testSpec } from '../gateway/image/test-spec.ts';
import { usableCores } from '../gateway/machine/cores.ts';
import { defaultDecoders } from '../gateway/machine/decoder-memory.ts';
import { createPool } from '../gateway/tensor/pool.ts';
import { cpuMsOf, median } from './load.ts';

const ROUNDS = 7;
const CONCURRENCY = [1, 8];

const SPEC = testSpec();

const { imageFormats: formats, maxImagePixels: maxPixels, maxImageBytes: maxBytes, decodeTimeoutMs } = readConfig();
const image = (name: string) => readFile(new URL(`../tests/golden/images/${name}`, import.meta.url));
const log = { debug() {}, info() {}, warn: console.error, error: console.error };
const context = testContext({ log, deadlineMs: Number.POSITIVE_INFINITY });

type Work = (bytes: Uint8Array, spec: ImageSpec) => Promise<unknown>;
type Round = { readonly cpuMs: number; readonly p50Ms: number; readonly perSecond: number };

async function round(work: () => Promise<unknown>, count: number, concurrency: number): Promise<Round> {
  const cpuBeforeMs = await cpuMsOf(process.pid);
  const startedMs = performance.now();
  const latencies: number[] = [];
  let left = count;
  const ask = async () => {
    while (left-- > 0) {
      const askedMs = performance.now();
      await work();
      latencies.push(performance.now() - askedMs);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, ask));
  const perSecond = (count / (performance.now() - startedMs)) * 1000;
  return { cpuMs: ((await cpuMsOf(process.pid)) - cpuBeforeMs) / count, p50Ms: median(latencies), perSecond };
}

restrictSharp(formats);
const options: DecodeOptions = { field: 'image', color: 'rgb', engine: 'pillow', formats, maxPixels, maxBytes };
const resamplers = new Map<string, ReturnType<typeof createResampler>>();
const inProcess: Work = async (bytes, spec) => {
  const resample = resamplers.get(spec.resize) ?? createResampler(spec);
  resamplers.set(spec.resize, resample);
  return resample(await decode(bytes, options));
};

const startedMs = performance.now();
const count = defaultDecoders(usableCores());
const pictures = openPictures({
  formats,
  maxPixels,
  maxBytes,
  count,
  pixelsAtOnce: count * maxPixels,
  timeoutMs: decodeTimeoutMs,
  memory: createPool(0),
  log,
  onLoss: console.error,
});
const row = new Float32Array(299 * 299 * 3);
const freeRows: FreeRows = { type: 'DT_FLOAT', fill: (write) => void write(row) };
const inDecoders: Work = (bytes, spec) => pictures.fillRow({ bytes, spec, field: 'image' }, freeRows, context);
const small = await image('jpg-420.jpg');
await Promise.all(Array.from({ length: count }, () => inDecoders(small, SPEC)));
const startMs = performance.now() - startedMs;

const rows: [name: string, file: string, resize: ImageSpec['resize'], images: number][] = [
  ['400 x 533 JPEG, nearest', 'jpg-420.jpg', 'nearest', 200],
  ['400 x 533 JPEG, bilinear', 'jpg-420.jpg', 'bilinear', 100],
  ['3000 x 2000 JPEG, nearest', 'jpg-3000x2000.jpg', 'nearest', 16],
];
console.log(
  `${availableParallelism()} cores, ${count} decoders up in ${startMs.toFixed(0)} ms, Node ${process.versions.node}\n`,
);
console.log('| image | at once | where | CPU-ms | p50 ms | images/s |\n|--|--|--|--|--|--|');
for (const [name, file, resize, images] of rows) {
  const bytes = await image(file);
  const spec = { ...SPEC, resize };
  for (const concurrency of CONCURRENCY) {
    const works = [inProcess, inDecoders].map((work) => () => work(bytes, spec));
    const rounds = works.map((): Round[] => []);
    for (const work of works) await round(work, images, concurrency);
    for (let index = 0; index < ROUNDS; index += 1) {
      for (const [which, work] of works.entries()) rounds[which]?.push(await round(work, images, concurrency));
    }
    const of = (which: number, key: keyof Round) => median((rounds[which] ?? []).map((each) => each[key]));
    for (const [which, where] of ['at once', 'gateway'].entries()) {
      const cells = [of(which, 'cpuMs').toFixed(2), of(which, 'p50Ms').toFixed(1), of(which, 'perSecond').toFixed(0)];
      console.log(`| ${[name, concurrency, where, ...cells].join(' | ')} |`);
    }
    const ratios = (['cpuMs', 'p50Ms', 'perSecond'] as const).map((key) => (of(1, key) / of(0, key)).toFixed(2));
    console.log(`| ${[name, concurrency, 'ratio', ...ratios].join(' | ')} |`);
  }
}
for (const pid of pictures.pids) {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8');
  const [rss, pss] = ['Rss', 'Pss'].map((key) =>
    Math.round(Number(new RegExp(`^${key}: +(\\d+)`, 'm').exec(rollup)?.[1]) / 1024),
  );
  console.log(`\ndecoder ${pid}: ${rss} MiB resident (RSS), ${pss} MiB proportional (PSS)`);
}
pictures.close();
