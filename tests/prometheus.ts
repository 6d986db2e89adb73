/** A real Prometheus that scrapes gateways, with the rules of the monitoring component and a short window. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { until } from './until.ts';

const ROOT = path.resolve(import.meta.dirname, '..');

/** Test options: skips where there is no Prometheus. */
export const needsPrometheus =
  spawnSync('prometheus', ['--version']).status === 0 ? {} : { skip: 'prometheus (>= 2.42) is not in PATH' };

export type Sample = { readonly metric: Readonly<Record<string, string>>; readonly value: number };

export type Prometheus = {
  readonly url: string;
  /** The samples of an expression now. */
  query(expression: string): Promise<Sample[]>;
  stop(): Promise<void>;
};

export type PrometheusOptions = {
  /** host:port of each gateway's ADMIN_PORT. */
  readonly targets: readonly string[];
  /** The window of skew and drift, in place of 60m. */
  readonly window: string;
  /** Between scrapes, and between evaluations. */
  readonly interval: string;
};

/** Resolves when it is ready and has scraped every target. */
export async function startPrometheus({ targets, window, interval }: PrometheusOptions): Promise<Prometheus> {
  const folder = await mkdtemp(path.join(tmpdir(), 'prometheus-'));
  await writeRules(folder, window);
  const config = {
    global: { scrape_interval: interval, scrape_timeout: interval, evaluation_interval: interval },
    rule_files: [path.join(folder, '*.rules.yaml')],
    scrape_configs: [{ job_name: 'gateway', static_configs: [{ targets }] }],
  };
  const file = path.join(folder, 'prometheus.yml');
  await writeFile(file, JSON.stringify(config));
  const url = `http://127.0.0.1:${await freePort()}`;
  const flags = [`--config.file=${file}`, `--storage.tsdb.path=${folder}/data`, `--web.listen-address=${url.slice(7)}`];
  const child = spawn('prometheus', [...flags, '--log.level=error'], { stdio: ['ignore', 'ignore', 'inherit'] });
  const prometheus = { url, query: (expression: string) => query(url, expression), stop: () => stop(child, folder) };
  await until(async () => (await fetch(`${url}/-/ready`).catch(() => undefined))?.ok === true, 30_000);
  await until(async () => (await prometheus.query('up == 1')).length === targets.length, 30_000);
  return prometheus;
}

async function writeRules(folder: string, window: string): Promise<void> {
  const script = path.join(ROOT, 'serving/monitoring/rule-files.sh');
  const manifests = path.join(ROOT, 'kubernetes/components/monitoring');
  await promisify(execFile)('sh', [script, manifests, folder], { env: { ...process.env, DRIFT_WINDOW: window } });
}

/** Prometheus takes no port 0. */
async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  await promisify(server.close.bind(server))();
  return port;
}

async function query(url: string, expression: string): Promise<Sample[]> {
  const response = await fetch(`${url}/api/v1/query?${new URLSearchParams({ query: expression })}`);
  const { data, error } = (await response.json()) as {
    data?: { result: { metric: Record<string, string>; value: [number, string] }[] };
    error?: string;
  };
  assert.ok(data, error);
  return data.result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
}

async function stop(child: ChildProcess, folder: string): Promise<void> {
  const exited = once(child, 'exit');
  child.kill();
  await exited;
  await rm(folder, { recursive: true });
}
