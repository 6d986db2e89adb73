/**
 * What a shadow costs the clients: latency, failures and memory of a gateway without a shadow, and with one that answers, hangs, is
 * killed, or answers garbage. Each gets the same load in turns, so that other work on the machine is the same for all.
 *
 *   node bench/shadow.ts [seconds of a turn, 20 by default] [turns, 3 by default] [only these cases…]
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startGateway } from './gateway.ts';
import { moveAside, start, stopAll } from './load.ts';
import { offer, quantile } from './open-loop.ts';

const PER_SECOND = 15;
/** Hangs: no answer comes before the deadline of a request. */
const SHADOWS: Readonly<Record<string, Readonly<Record<string, string>> | undefined>> = {
  none: undefined,
  answers: { PREDICT_MS: '20' },
  hangs: { PREDICT_MS: '1000000' },
  killed: { PREDICT_MS: '20' },
  garbage: { GARBAGE: 'true' },
};
const seconds = Number(process.argv[2] ?? 20);
const turns = Number(process.argv[3] ?? 3);
const asked = process.argv.slice(4);
const names = Object.keys(SHADOWS).filter((name) => asked.length === 0 || asked.includes(name));

const here = (file: string) => new URL(file, import.meta.url).pathname;
const card = await readFile(here('model.yaml'), 'utf8');
const picture = await readFile(here('../tests/golden/images/jpg-420.jpg'));
const body = JSON.stringify({ b64: picture.toString('base64') });
const aside = await moveAside();
const folder = await mkdtemp(path.join(tmpdir(), 'shadow-'));

type Case = { readonly name: string; readonly pid: number; readonly url: string; readonly admin: string };

async function startCase(name: string, target: string): Promise<Case> {
  const MODELS = path.join(folder, name);
  await mkdir(path.join(MODELS, 'clothing-model'), { recursive: true });
  const own =
    SHADOWS[name] && (await start(process.execPath, [here('null-backend.ts')], { VERSION: '9', ...SHADOWS[name] }));
  const shadow = own ? `shadow: {version: 9, share: 100%, backend: {host: "127.0.0.1:${own.port}"}}\n` : '';
  await writeFile(path.join(MODELS, 'clothing-model', 'model.yaml'), card + shadow);
  const { port, adminPort, pid } = await startGateway({ MODELS, TF_SERVING_HOST: target }, aside);
  const url = `http://127.0.0.1:${port}`;
  while (!(await fetch(`${url}/health/ready`)).ok) await sleep(100);
  await offer({ url, body, perSecond: PER_SECOND, seconds: 10 });
  if (own && name === 'killed') process.kill(own.pid, 'SIGKILL');
  return { name, pid, url, admin: `http://127.0.0.1:${adminPort}` };
}

async function rssMiB(pid: number): Promise<number> {
  return Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}

/** The sum of all series of a metric. */
async function metric({ admin }: Case, name: string): Promise<number> {
  const lines = (await (await fetch(`${admin}/metrics`)).text()).split('\n').filter((line) => line.startsWith(name));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}

try {
  const { port } = await start(process.execPath, [here('null-backend.ts')], { PREDICT_MS: '20' });
  const cases: Case[] = [];
  for (const name of names) cases.push(await startCase(name, `127.0.0.1:${port}`));
  const times = new Map(names.map((name) => [name, [] as number[]]));
  const failures = new Map(names.map((name) => [name, 0]));
  const memory = new Map(names.map((name) => [name, [] as number[]]));
  for (let turn = 0; turn < turns; turn += 1) {
    for (const { name, url, pid } of cases) {
      const outcome = await offer({ url, body, perSecond: PER_SECOND, seconds });
      times.get(name)?.push(...outcome.acceptedMs);
      failures.set(name, (failures.get(name) ?? 0) + outcome.failures.length + outcome.refusedMs.length);
      memory.get(name)?.push(Math.round(await rssMiB(pid)));
    }
  }
  console.log(`\n${PER_SECOND} pictures a second, ${turns} turns of ${seconds} s, all copied\n`);
  console.log('| shadow | answered | failed | p50 ms | p99 ms | RSS MiB after each turn | compared | not compared |');
  console.log('|--|--|--|--|--|--|--|--|');
  for (const one of cases) {
    const ms = (times.get(one.name) ?? []).sort((a, b) => a - b);
    const cells = [
      one.name,
      ms.length,
      failures.get(one.name),
      quantile(ms, 0.5).toFixed(0),
      quantile(ms, 0.99).toFixed(0),
    ];
    const compared = await metric(one, 'tensorgate_comparisons_total');
    const dropped = await metric(one, 'tensorgate_shadow_dropped_total');
    console.log(`| ${[...cells, memory.get(one.name)?.join(', '), compared, dropped].join(' | ')} |`);
  }
} finally {
  stopAll();
  await rm(folder, { recursive: true });
}
