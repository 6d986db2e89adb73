/**
 * Measures the gateway under overload: goodput at 1, 2, 5 and 10 times its capacity. Three backends: the embedded one,
 * which uses this machine's CPU; a model on another machine, simulated by a delay; and a null backend, where the
 * gateway does all the work. The load generator runs on its own core.
 *
 *   npm run overload -- [seconds a level, 60 by default] [embedded|elsewhere|null]
 */
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startGateway } from './gateway.ts';
import { moveAside, start, stopAll } from './load.ts';
import { capacity, offer, quantile } from './open-loop.ts';

const LEVELS = [1, 2, 5, 10];
const HEAD = [
  'load',
  'offered/s',
  'answered/s',
  'capacity/s before and after',
  'answered of it',
  'limit',
  'p50 ms',
  'p99 ms',
  'refused',
  'refused p50 ms',
  'refused p99 ms',
  'Retry-After s',
  'lost',
  'RSS MiB',
];
const seconds = Number(process.argv[2] ?? 60);
const only = process.argv[3];

const aside = await moveAside();

const here = (file: string) => new URL(file, import.meta.url).pathname;
const picture = await readFile(here('../tests/golden/images/jpg-420.jpg'));
const source = createServer((_request, response) => response.setHeader('Content-Length', picture.length).end(picture));
await once(source.listen(0, '127.0.0.1'), 'listening');
const { port: sourcePort } = source.address() as AddressInfo;
const body = JSON.stringify({ url: `http://127.0.0.1:${sourcePort}/photo.jpg` });

async function rssMiB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
}

/** The gateway's current concurrency limit, from its metrics. */
async function limitOf(adminPort: number): Promise<string> {
  const text = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text();
  return /^tensorgate_concurrency_limit (\d+)/m.exec(text)?.[1] ?? '';
}

async function measure(name: string, env: Record<string, string>): Promise<void> {
  const settings = {
    LOG_LEVEL: process.env.LOG_LEVEL ?? 'info',
    FETCH_ALLOW: '127.0.0.1',
    FETCH_PORTS: String(sourcePort),
    ...env,
  };
  const { port, adminPort, pid } = await startGateway(settings, aside);
  const url = `http://127.0.0.1:${port}`;
  while (!(await fetch(`${url}/health/ready`)).ok) await sleep(100);
  // Warm up: a process reaches full speed after about ten seconds of work.
  await capacity(url, body, Math.min(15, seconds));
  console.log(`\n${name}\n`);
  console.log(`| ${HEAD.join(' | ')} |\n|${HEAD.map(() => '--').join('|')}|`);
  let peak = await capacity(url, body, seconds / 4);
  for (const level of LEVELS) {
    const perSecond = peak * level;
    const { goodput, acceptedMs, refusedMs, retryAfterS, failures } = await offer({ url, body, perSecond, seconds });
    const limit = await limitOf(adminPort);
    await sleep(1000);
    // Capacity is measured before and after each level, because other work on the machine changes it.
    const after = await capacity(url, body, seconds / 4);
    const beside = (peak + after) / 2;
    peak = after;
    const cells = [
      `${level}x`,
      perSecond.toFixed(0),
      goodput.toFixed(1),
      beside.toFixed(1),
      `${((100 * goodput) / beside).toFixed(0)} %`,
      limit,
      quantile(acceptedMs, 0.5).toFixed(0),
      quantile(acceptedMs, 0.99).toFixed(0),
      refusedMs.length,
      quantile(refusedMs, 0.5).toFixed(0),
      quantile(refusedMs, 0.99).toFixed(0),
      retryAfterS.length > 0 ? `${Math.min(...retryAfterS)} to ${Math.max(...retryAfterS)}` : '',
      failures.length,
      (await rssMiB(pid)).toFixed(0),
    ];
    console.log(`| ${cells.join(' | ')} |`);
    if (failures.length > 0) console.log(`lost: ${[...new Set(failures)].join('; ')}`);
  }
}

const models = await mkdtemp(path.join(tmpdir(), 'overload-'));
await mkdir(path.join(models, 'clothing-model'));
await writeFile(path.join(models, 'clothing-model', 'model.yaml'), await readFile(here('model.yaml')));
try {
  const isAsked = (name: string) => only === undefined || only === name;
  if (isAsked('embedded')) await measure('Embedded backend', {});
  for (const [name, title, env] of [
    ['elsewhere', 'A model elsewhere: 50 ms, two at a time', { PREDICT_MS: '50' }],
    ['null', 'A backend that does nothing', {}],
  ] as const) {
    if (!isAsked(name)) continue;
    const { port } = await start(process.execPath, [here('null-backend.ts')], env);
    await measure(title, { MODELS: models, TF_SERVING_HOST: `127.0.0.1:${port}` });
  }
} finally {
  stopAll();
  source.close();
  await rm(models, { recursive: true });
}
