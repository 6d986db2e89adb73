/**
 * Changes of versions on two model servers under a steady load: versions with renamed tensors that are pushed, withdrawn,
 * replaced in place or refused, and labels that move, server by server. tests/attacks/10-version-changes.test.ts runs a few,
 * bench/version-changes.ts many.
 */
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import sharp from 'sharp';
import { predict, type RunningGateway } from './gateway.ts';
import { floatTensor, type ModelServer, type OnPredict, type Served, startModelServer } from './model-server.ts';
import { modelsFolder } from './models.ts';

const SIDE = 8;
const CLASSES = ['a', 'b'];
export const CARD = `name: photos\nimage: {size: [${SIDE}, ${SIDE}], resize: nearest, scale: tf}\nclasses: [${CLASSES}]\n`;

/** A red picture. Its tensor is known without a decoder: 255 becomes 1, 0 becomes -1. */
const PICTURE = 'red.png';
const red = { create: { width: SIDE, height: SIDE, channels: 3, background: '#f00' } } as const;
const picture = await sharp(red).png().toBuffer();
export const body = { b64: picture.toString('base64') };
const tensor = Float32Array.from({ length: SIDE * SIDE * 3 }, (_, index) => (index % 3 === 0 ? 1 : -1));
const sha256 = createHash('sha256').update(new Uint8Array(tensor.buffer)).digest('hex');

type Signatures = Served['versions'] extends ReadonlyMap<number, infer One> ? One : never;

/** The signature of a version. `names` is another number after it was replaced in place. */
export function signature(names: number): Signatures {
  return {
    inputs: { [`input_${names}`]: { dtype: 'DT_FLOAT', shape: [-1, SIDE, SIDE, 3] } },
    outputs: { [`dense_${names}`]: { dtype: 'DT_FLOAT', shape: [-1, CLASSES.length] } },
  };
}

/** A model server with its versions and labels, which may be stopped and started again at the same address. */
export type Server = Served & { stop(): Promise<void>; start(): Promise<void> };

export type Fleet = {
  readonly models: string;
  readonly target: string;
  readonly servers: readonly [Server, Server];
  /** Versions whose parity differs. */
  readonly refused: Set<number>;
};

/** Starts two servers with version 1, whose label is `stable`. Every version's first score is its number. */
export async function startFleet(t: TestContext): Promise<Fleet> {
  const models = await modelsFolder(t, { photos: CARD });
  const parity = path.join(models, 'photos', 'parity');
  await mkdir(parity);
  await writeFile(path.join(parity, PICTURE), picture);
  await writeFile(path.join(parity, 'tensors.json'), JSON.stringify({ samples: [{ file: PICTURE, sha256 }] }));
  await writeScores(models, 1, 1);
  const [first, second] = await Promise.all([startServer(t), startServer(t)]);
  const target = `${first.target},${second.target}`;
  return { models, target, servers: [first.server, second.server], refused: new Set() };
}

async function startServer(t: TestContext): Promise<{ readonly target: string; readonly server: Server }> {
  let running: ModelServer | undefined;
  let port = 0;
  const server: Server = {
    versions: new Map([[1, signature(1)]]),
    labels: new Map([['stable', 1]]),
    stop: async () => running?.drain(),
    async start() {
      running = await startModelServer({ ...signature(1), served: server, onPredict }, port);
      port = Number(running.target.split(':')[1]);
    },
  };
  const onPredict: OnPredict = ({ version, inputs }) => {
    const [output = ''] = Object.keys(server.versions.get(version)?.outputs ?? {});
    const rows = Object.values(inputs)[0]?.shape[0] ?? 0;
    return { [output]: floatTensor([rows, 2], Array.from({ length: rows }, () => [version, 0]).flat()) };
  };
  await server.start();
  t.after(() => running?.close());
  return { target: running?.target ?? '', server };
}

/** Writes the scores that training recorded for a version: its own, or others, so that its parity differs. */
export async function writeScores(models: string, version: number, first: number): Promise<void> {
  const file = path.join(models, 'photos', 'parity', `${version}.json`);
  await writeFile(file, JSON.stringify({ tolerance: 1e-4, scores: { [PICTURE]: [first, 0] } }));
}

/** A random generator with a seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export type ChangeOptions = { readonly count: number; readonly seed: number; readonly maxPauseMs: number };

/** What the changes have in common. Version 1 stays on both servers. */
class Changes {
  readonly fleet: Fleet;
  readonly random: () => number;
  readonly #maxPauseMs: number;
  #last = 1;
  #names = 1;

  constructor(fleet: Fleet, { seed, maxPauseMs }: ChangeOptions) {
    this.fleet = fleet;
    this.random = randomFrom(seed);
    this.#maxPauseMs = maxPauseMs;
  }

  pause(): Promise<void> {
    return sleep(this.random() * this.#maxPauseMs);
  }

  /** Changes the servers one by one, in a random order, or both at once. */
  async roll(change: (own: Server) => void | Promise<void>): Promise<void> {
    const { servers } = this.fleet;
    const order = this.random() < 0.5 ? [...servers] : servers.toReversed();
    const isAtOnce = this.random() < 0.3;
    for (const own of order) {
      await change(own);
      if (!isAtOnce) await this.pause();
    }
  }

  /** The versions that both servers have, lowest first. */
  get common(): number[] {
    const [first, second] = this.fleet.servers;
    return [...first.versions.keys()].filter((version) => second.versions.has(version)).sort((a, b) => a - b);
  }

  /** Takes the next number, with new names of its tensors, and writes its scores. Every third version has none: unproven. */
  async prepare(isRight: boolean): Promise<number> {
    this.#last += 1;
    const version = this.#last;
    this.rename();
    if (!isRight) this.fleet.refused.add(version);
    if (!isRight || version % 3 > 0) await writeScores(this.fleet.models, version, isRight ? version : -1);
    return version;
  }

  rename(): void {
    this.#names += 1;
  }

  add(version: number, own: Server): void {
    own.versions = new Map([...own.versions, [version, signature(this.#names)]]);
  }
}

const keep = (own: Server, stays: (version: number) => boolean) => {
  own.versions = new Map([...own.versions].filter(([version]) => stays(version)));
};

const KINDS: Readonly<Record<string, (changes: Changes) => Promise<void>>> = {
  async 'pushed beside the old one'(changes) {
    const version = await changes.prepare(true);
    await changes.roll((own) => changes.add(version, own));
  },
  async 'pushed in place of the old one'(changes) {
    const version = await changes.prepare(true);
    await changes.roll((own) => {
      keep(own, (one) => one === 1 || one === own.labels.get('stable'));
      changes.add(version, own);
    });
  },
  async withdrawn(changes) {
    const { common, fleet } = changes;
    const gone = common.at(-1) ?? 1;
    for (const own of fleet.servers) own.labels = new Map([['stable', common.at(-2) ?? 1]]);
    await changes.pause();
    await changes.roll((own) => keep(own, (version) => version !== gone || version === 1));
  },
  async 'replaced under its number'(changes) {
    const version = changes.common.at(-1) ?? 1;
    changes.rename();
    await changes.roll((own) => changes.add(version, own));
  },
  async 'with another parity'(changes) {
    const version = await changes.prepare(false);
    await changes.roll((own) => changes.add(version, own));
    await changes.pause();
    await changes.roll((own) => keep(own, (one) => one !== version));
  },
  async 'label moved'(changes) {
    const { common } = changes;
    const version = common[Math.floor(changes.random() * common.length)] ?? 1;
    await changes.roll((own) => {
      own.labels = new Map([['stable', version]]);
    });
  },
  async 'restarted with a new one'(changes) {
    const version = await changes.prepare(true);
    for (const own of changes.fleet.servers) {
      await own.stop();
      await changes.pause();
      keep(own, (one) => one === 1 || one === own.labels.get('stable'));
      changes.add(version, own);
      await own.start();
      // A rolling update waits too. The gateway connects again within a second or so.
      await sleep(2000);
    }
  },
};

/** Makes changes one after the other. Returns how often each kind was made. */
export async function makeChanges(fleet: Fleet, options: ChangeOptions): Promise<Record<string, number>> {
  const changes = new Changes(fleet, options);
  const kinds = Object.entries(KINDS);
  const made: Record<string, number> = {};
  for (let change = 0; change < options.count; change += 1) {
    const [kind, make] = kinds[change < kinds.length ? change : Math.floor(changes.random() * kinds.length)] ?? [];
    if (!kind || !make) continue;
    made[kind] = (made[kind] ?? 0) + 1;
    await make(changes);
    await changes.pause();
  }
  return made;
}

export type Answer = {
  readonly asked: string;
  readonly version: number;
  readonly status: number;
  readonly text: string;
  readonly tookMs: number;
};

export type Load = { readonly answers: readonly Answer[]; readonly notReady: readonly string[]; stop(): Promise<void> };

/** Requests without a version, with version 1 and with the label, at a fixed rate; and now and then the readiness. */
export function startLoad(gateway: RunningGateway, perSecond: number): Load {
  const answers: Answer[] = [];
  const notReady: string[] = [];
  const open = new Set<Promise<void>>();
  const queries = ['', '', '', '?version=1', '?label=stable'];
  let sent = 0;

  async function send(): Promise<void> {
    const asked = queries[sent % queries.length] ?? '';
    sent += 1;
    const startMs = performance.now();
    const response = await predict(gateway, body, asked);
    const text = await response.text();
    const version = Number(response.headers.get('x-model-version'));
    // A version's first score is its number: an answer of another version, or of a wrong binding, is a failure.
    const isRight = response.status === 200 && JSON.parse(text).a === version;
    answers.push({
      asked,
      version,
      status: isRight ? 200 : response.status || -1,
      text: isRight ? '' : text,
      tookMs: performance.now() - startMs,
    });
    if (sent % queries.length > 0) return;
    const ready = await fetch(`${gateway.url}/health/ready`);
    const state = await ready.text();
    if (ready.status !== 200) notReady.push(state);
  }

  const timer = setInterval(() => {
    const one = send();
    open.add(one);
    void one.finally(() => open.delete(one));
  }, 1000 / perSecond);
  return {
    answers,
    notReady,
    async stop() {
      clearInterval(timer);
      await Promise.all(open);
    },
  };
}
