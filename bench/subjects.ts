/** The measured programs: the gateway and the references, all with the same photos, origin and model server. */
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, GATEWAY } from './gateway.ts';
import { load, start } from './load.ts';

const here = (file: string) => new URL(file, import.meta.url).pathname;

/** The photos of the repository. A folder of the data set, if given, is closer to real traffic. */
const GOLDEN = ['jpg-420.jpg'];
const PHOTOS = 64;

export type Subject = {
  readonly name: string;
  readonly url: string;
  readonly pid: number;
  /** 0 for the references. */
  readonly adminPort: number;
};

export type Stage = {
  /** One body for POST /predict per photo. */
  readonly bodies: readonly string[];
  /** The origin's port. */
  readonly port: number;
  close(): Promise<void>;
};

async function readPhotos(folder: string | undefined): Promise<Buffer[]> {
  if (folder === undefined) return Promise.all(GOLDEN.map((name) => readFile(here(`../tests/golden/images/${name}`))));
  const all = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.jpg')).sort();
  const step = Math.max(1, Math.floor(all.length / PHOTOS));
  const some = all.filter((_, index) => index % step === 0).slice(0, PHOTOS);
  return Promise.all(some.map((name) => readFile(path.join(folder, name))));
}

/** Starts an HTTP origin for the photos: up to PHOTOS of the folder, or those of the repository. */
export async function openStage(folder: string | undefined): Promise<Stage> {
  const photos = await readPhotos(folder);
  const origin = createServer(({ url = '' }, response) => {
    const photo = photos[Number(url.slice(1, -4))];
    response
      .writeHead(photo ? 200 : 404, { 'Content-Type': 'image/jpeg', 'Content-Length': photo?.length ?? 0 })
      .end(photo);
  });
  origin.keepAliveTimeout = 60_000;
  await once(origin.listen(0, '127.0.0.1'), 'listening');
  const { port } = origin.address() as AddressInfo;
  return {
    bodies: photos.map((_, index) => JSON.stringify({ url: `http://127.0.0.1:${port}/${index}.jpg` })),
    port,
    async close() {
      origin.close();
      origin.closeAllConnections();
    },
  };
}

export type CommandOptions = {
  readonly python: string;
  readonly stage: Stage;
  readonly models: string;
};

/** Starts the null model server and writes model.yaml files into `models`. Resolves to the command of each gateway. */
export async function prepareCommands({ python, stage, models }: CommandOptions): Promise<Map<string, Command>> {
  const backend = await start(process.execPath, [here('null-backend.ts')]);
  const target = `127.0.0.1:${backend.port}`;
  const fetching = { FETCH_ALLOW: '127.0.0.1', FETCH_PORTS: `${stage.port}` };
  const { args } = GATEWAY;
  const env = { ...GATEWAY.env, ...fetching };
  const gateway = async (signature: string): Promise<Command> => {
    const folder = path.join(models, signature);
    await mkdir(path.join(folder, 'clothing-model'), { recursive: true });
    const yaml = `${await readFile(here('model.yaml'), 'utf8')}signature: ${signature}\n`;
    await writeFile(
      path.join(folder, 'clothing-model', 'model.yaml'),
      signature === 'serving_uint8' ? yaml.replace('scale: tf', 'scale: none') : yaml,
    );
    return { args, env: { ...env, MODELS: folder, TF_SERVING_HOST: target } };
  };
  const reference = (name: string): Command => ({
    args: [python, here(`reference/${name}_gateway.py`)],
    env: { TF_SERVING_HOST: target },
  });
  return new Map([
    ['tensorgate', await gateway('serving_default')],
    ['tensorgate uint8', await gateway('serving_uint8')],
    ['tensorgate embedded', { args, env }],
    ['asyncio', reference('asyncio')],
    ['flask', reference('flask')],
  ]);
}

export type SubjectOptions = Omit<CommandOptions, 'models'> & {
  /** A command prefix that pins a program to its own cores. */
  readonly aside: readonly string[];
  readonly only?: readonly string[] | undefined;
};

/** The subjects that use the null model server. */
const DEFAULT_SUBJECTS = ['tensorgate', 'tensorgate uint8', 'asyncio', 'flask'];

/** Starts the gateways one after another, each after the previous one answers. */
export async function startSubjects({
  aside,
  only = DEFAULT_SUBJECTS,
  ...options
}: SubjectOptions): Promise<Subject[]> {
  const { bodies } = options.stage;
  const models = await mkdtemp(path.join(tmpdir(), 'bench-'));
  const subjects: Subject[] = [];
  try {
    for (const [name, { args, env }] of await prepareCommands({ ...options, models })) {
      if (!only.includes(name)) continue;
      const [command = '', ...rest] = [...aside, ...args];
      const { port, adminPort, pid } = await start(command, rest, env);
      const url = `http://127.0.0.1:${port}`;
      while (!(await load(url, bodies, 1, 1).catch(() => undefined))) await sleep(50);
      subjects.push({ name, url, pid, adminPort });
    }
    return subjects;
  } finally {
    await rm(models, { recursive: true });
  }
}
