/**
 * Prints where the CPU time of the gateway's main thread goes, by the kind of code, from a CPU profile of the job at eight
 * requests at once.
 *
 *   node bench/profile.ts [PHOTOS]
 */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { load, moveAside, start, stopAll } from './load.ts';
import { openStage, prepareCommands } from './subjects.ts';

const WARM_UP = 2000;
const REQUESTS = 3000;
const CONCURRENCY = 8;
const INTERVAL_US = 200;

/** The parts of a .cpuprofile file that are used here. Times are in µs. */
type Profile = {
  readonly nodes: readonly { readonly id: number; readonly callFrame: Frame }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
};
type Frame = { readonly functionName: string; readonly url: string };

/** The first kind whose pattern matches `URL FUNCTION`. Native code has no URL. */
const KINDS: readonly (readonly [kind: string, pattern: RegExp])[] = [
  ['JPEG decoder (WebAssembly)', /^wasm:/],
  ['scaling into the tensor', /gateway\/image\/(normalise|converter|resample)/],
  ['the rest of the gateway', /\/gateway\//],
  ['express and its packages, zod, pino', /node_modules\/(?!@grpc|google-protobuf|protobufjs)/],
  ['grpc-js, protobufjs', /node_modules\//],
  ['Node: HTTP/2', /^node:internal\/http2/],
  ['Node: HTTP, streams, timers', /^node:/],
  ['garbage collector', / \(garbage collector\)$/],
  ['native code and the kernel', /^ /],
];

const kindOf = ({ url, functionName }: Frame): string =>
  KINDS.find(([, pattern]) => pattern.test(`${url} ${functionName}`))?.[0] ?? 'other';

/** The shares of the busy time by kind, after the warm-up. */
function sharesOf({ nodes, samples, timeDeltas }: Profile, fromUs: number): Map<string, number> {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const times = new Map(KINDS.map(([kind]) => [kind, 0]));
  let [atUs, busyUs] = [0, 0];
  for (const [index, id] of samples.entries()) {
    const tookUs = timeDeltas[index] ?? 0;
    atUs += tookUs;
    const frame = frames.get(id);
    if (atUs < fromUs || !frame || frame.functionName === '(idle)') continue;
    busyUs += tookUs;
    times.set(kindOf(frame), (times.get(kindOf(frame)) ?? 0) + tookUs);
  }
  return new Map([...times].map(([kind, timeUs]) => [kind, timeUs / busyUs]));
}

const models = await mkdtemp(path.join(tmpdir(), 'bench-'));
const stage = await openStage(process.argv[2]);
try {
  const aside = await moveAside();
  const commands = await prepareCommands({ python: 'python3', stage, models });
  const { args: [program = '', ...args] = [], env = {} } = commands.get('tensorgate') ?? {};
  const profiling = ['--cpu-prof', `--cpu-prof-interval=${INTERVAL_US}`, `--cpu-prof-dir=${models}`];
  const [command = '', ...rest] = [...aside, program, ...profiling, ...args];
  const startedMs = performance.now();
  const { port, pid } = await start(command, rest, env);
  const url = `http://127.0.0.1:${port}`;
  while (!(await load(url, stage.bodies, 1, 1).catch(() => undefined))) await sleep(50);
  await load(url, stage.bodies, WARM_UP, CONCURRENCY);
  const warmUs = 1000 * (performance.now() - startedMs);
  await load(url, stage.bodies, REQUESTS, CONCURRENCY);
  process.kill(pid);
  const profile = async () => (await readdir(models)).find((name) => name.endsWith('.cpuprofile'));
  let file = await profile();
  for (; !file; file = await profile()) await sleep(100);
  const shares = sharesOf(JSON.parse(await readFile(path.join(models, file), 'utf8')) as Profile, warmUs);
  console.log('| code | share of the main thread |\n|--|--|');
  const sorted = [...shares].sort(([, one], [, other]) => other - one);
  for (const [kind, share] of sorted) console.log(`| ${kind} | ${(100 * share).toFixed(0)} % |`);
} finally {
  stopAll();
  await stage.close();
  await rm(models, { recursive: true });
}
