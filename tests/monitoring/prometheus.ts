/** Starts a Prometheus that scrapes given ports and evaluates the rules of kubernetes/components/monitoring. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { stringify } from 'yaml';
import { writeRuleFiles } from '../kubernetes/rules.ts';
import { freePort } from '../tf-serving/server.ts';
import { until } from '../until.ts';

/** Options for `describe` and `test`: skip without Prometheus. */
export const options =
  spawnSync('prometheus', ['--version']).status === 0
    ? {}
    : { skip: 'prometheus is not in PATH: `apt-get install prometheus`' };

export type Job = {
  readonly job_name: string;
  readonly metrics_path?: string;
  readonly static_configs: readonly { readonly targets: readonly string[]; readonly labels: object }[];
};

export type Sample = { readonly metric: Readonly<Record<string, string>>; readonly value: number };

export type Prometheus = {
  /** The samples of an instant query. @throws Error with Prometheus' message for a query that is wrong */
  query(expr: string): Promise<Sample[]>;
};

type Hooks = { readonly after: (end: () => unknown) => void };

/** Starts it on a free port. `hooks` end it. `driftWindow`: of skew and drift, instead of an hour. */
export async function startPrometheus(hooks: Hooks, jobs: readonly Job[], driftWindow: string): Promise<Prometheus> {
  const folder = await mkdtemp(path.join(tmpdir(), 'prometheus-'));
  await writeRuleFiles(path.join(folder, 'rules'), driftWindow);
  const config = {
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: [path.join(folder, 'rules/*.rules.yaml')],
    scrape_configs: jobs,
  };
  await writeFile(path.join(folder, 'prometheus.yml'), stringify(config));
  const url = `http://127.0.0.1:${await freePort()}`;
  const child = spawn(
    'prometheus',
    [
      `--config.file=${folder}/prometheus.yml`,
      `--storage.tsdb.path=${folder}/data`,
      `--web.listen-address=${new URL(url).host}`,
      '--log.level=error',
    ],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  );
  hooks.after(() => stop(child, folder));
  await until(async () => (await fetch(`${url}/-/ready`).catch(() => undefined))?.ok === true, 60_000);
  return { query: (expr) => query(url, expr) };
}

async function stop(child: ChildProcess, folder: string): Promise<void> {
  const exited = once(child, 'exit');
  child.kill();
  await exited;
  await rm(folder, { recursive: true });
}

type Answer =
  | { status: 'success'; data: { result: { metric: Record<string, string>; value: [number, string] }[] } }
  | { status: 'error'; error: string };

async function query(url: string, expr: string): Promise<Sample[]> {
  const response = await fetch(`${url}/api/v1/query`, { method: 'POST', body: new URLSearchParams({ query: expr }) });
  const answer = (await response.json()) as Answer;
  if (answer.status === 'error') throw new Error(`${answer.error} in ${expr}`);
  return answer.data.result.map(({ metric, value: [, value] }) => ({ metric, value: Number(value) }));
}
