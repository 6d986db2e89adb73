/** Starts a Prometheus and an Alertmanager of the system, which know of one gateway and one webhook. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { parse, stringify } from 'yaml';
import { freePort } from '../tf-serving/server.ts';
import { until } from '../until.ts';

const RULES = new URL('../../kubernetes/components/monitoring/drift.yaml', import.meta.url);

/** Debian's package calls it by the longer name. */
const ALERTMANAGERS = ['alertmanager', 'prometheus-alertmanager'];

/** Which of the programs is missing; undefined where both are there. */
export function missingProgram(): string | undefined {
  if (find(['prometheus']) === undefined) return 'prometheus';
  return find(ALERTMANAGERS) === undefined ? ALERTMANAGERS.join(' or ') : undefined;
}

function find(names: readonly string[]): string | undefined {
  const folders = (process.env.PATH ?? '').split(path.delimiter);
  return folders.flatMap((folder) => names.map((name) => path.join(folder, name))).find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false; // Not in this folder.
  }
}

export type Monitoring = {
  readonly prometheusUrl: string;
  /** The result of a PromQL query at this moment. */
  query(text: string): Promise<Sample[]>;
};
export type Sample = { readonly metric: Readonly<Record<string, string>>; readonly value: number };

export type MonitoringOptions = {
  readonly folder: string;
  /** `host:port` of the gateway's admin port. */
  readonly target: string;
  readonly webhook: string;
  /** In place of the hour of the rules, such as `20s`. */
  readonly window: string;
  /** How long Alertmanager waits for more alerts before it sends the first. */
  readonly groupWait: string;
};

/** Starts both, with the rules of skew and drift. They are stopped after the test. */
export async function startMonitoring(t: TestContext, options: MonitoringOptions): Promise<Monitoring> {
  const { folder, target, webhook, window, groupWait } = options;
  const route = { receiver: 'retrain', matchers: ['topic = drift'], group_by: ['model'], group_wait: groupWait };
  const alertmanager = await startProgram(t, find(ALERTMANAGERS), path.join(folder, 'alertmanager'), {
    config: {
      route: { receiver: 'nobody', group_interval: '5s', repeat_interval: '10m', routes: [route] },
      receivers: [{ name: 'nobody' }, { name: 'retrain', webhook_configs: [{ url: webhook }] }],
    },
    flags: ['--cluster.listen-address='],
  });
  const rules = parse((await readFile(RULES, 'utf8')).replaceAll('60m', window)).spec;
  const rulesFile = path.join(folder, 'drift.rules.yaml');
  await writeFile(rulesFile, stringify(rules));
  const prometheusUrl = await startProgram(t, find(['prometheus']), path.join(folder, 'prometheus'), {
    config: {
      global: { scrape_interval: '1s', evaluation_interval: '1s' },
      rule_files: [rulesFile],
      scrape_configs: [{ job_name: 'gateway', static_configs: [{ targets: [target] }] }],
      alerting: { alertmanagers: [{ static_configs: [{ targets: [new URL(alertmanager).host] }] }] },
    },
    flags: [],
  });
  return {
    prometheusUrl,
    async query(text) {
      const response = await fetch(`${prometheusUrl}/api/v1/query?${new URLSearchParams({ query: text })}`);
      const { data } = (await response.json()) as {
        data: { result: { metric: Record<string, string>; value: [number, string] }[] };
      };
      return data.result.map(({ metric, value: [, value] }) => ({ metric, value: Number(value) }));
    },
  };
}

/** Starts one of them in a folder of its own, and waits until it is ready. Returns its address. */
async function startProgram(
  t: TestContext,
  program: string | undefined,
  folder: string,
  { config, flags }: { config: object; flags: readonly string[] },
): Promise<string> {
  if (program === undefined) throw new Error(`${missingProgram()} is not in PATH`);
  await mkdir(folder);
  const file = path.join(folder, 'config.yaml');
  await writeFile(file, stringify(config));
  const address = `127.0.0.1:${await freePort()}`;
  const args = [
    `--config.file=${file}`,
    `--storage.${path.basename(folder) === 'prometheus' ? 'tsdb.' : ''}path=${folder}`,
  ];
  const child = spawn(program, [...args, `--web.listen-address=${address}`, '--log.level=error', ...flags], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const exited = once(child, 'exit');
  t.after(async () => {
    child.kill();
    await exited;
  });
  const url = `http://${address}`;
  await until(async () => (await fetch(`${url}/-/ready`).catch(() => undefined))?.ok === true);
  return url;
}
