/** The Prometheus rules of the monitoring component, and the rule files that Prometheus reads. */
import { execFile } from 'node:child_process';
import { glob, readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { readManifests } from './manifest.ts';
import { ROOT } from './tools.ts';

export const MONITORING = path.join(ROOT, 'kubernetes/components/monitoring');

export type Rule = {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
  readonly annotations?: Readonly<Record<string, string>>;
};

export type RuleFile = {
  readonly name: string;
  readonly spec: { readonly groups: readonly { readonly rules: readonly Rule[] }[] };
};

/** The PrometheusRules of the component, by their file names without extension. */
export async function readRuleFiles(): Promise<RuleFile[]> {
  const files = (await Array.fromAsync(glob('*.yaml', { cwd: MONITORING }))).sort();
  const read = async (file: string) =>
    readManifests(await readFile(path.join(MONITORING, file), 'utf8'))
      .filter(({ kind }) => kind === 'PrometheusRule')
      .map(({ spec }) => ({ name: path.basename(file, '.yaml'), spec: spec as unknown as RuleFile['spec'] }));
  return (await Promise.all(files.map(read))).flat();
}

/** All alerting rules. Several may have the same name. */
export async function readAlerts(): Promise<(Rule & { readonly alert: string })[]> {
  const rules = (await readRuleFiles()).flatMap(({ spec }) => spec.groups.flatMap((group) => group.rules));
  return rules.flatMap((rule) => (rule.alert === undefined ? [] : { ...rule, alert: rule.alert }));
}

/** Writes NAME.rules.yaml into a folder for every PrometheusRule, as docker-compose.yml does. */
export async function writeRuleFiles(folder: string, driftWindow = ''): Promise<void> {
  const args = [path.join(ROOT, 'serving/monitoring/rule-files.sh'), MONITORING, folder];
  await promisify(execFile)('sh', args, { env: { ...process.env, DRIFT_WINDOW: driftWindow } });
}
