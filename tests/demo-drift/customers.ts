/** Customers who ask the gateway, and whose outcomes are told later. */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Service } from '../gateway.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const BATCH = 100;

export type Customer = { readonly record: Readonly<Record<string, unknown>>; readonly left: boolean };

/** Draws customers as training does. `promoted`: the share of those who came for a promotion that training has not seen. */
export async function drawCustomers(count: number, seed: number, promoted: number): Promise<Customer[]> {
  const args = ['-m', 'training.tabular.customers', `--count=${count}`, `--seed=${seed}`, `--promoted=${promoted}`];
  const python = path.join(ROOT, '.venv/bin/python');
  const { stdout } = await promisify(execFile)(python, args, { cwd: path.join(ROOT, 'serving'), maxBuffer: 2 ** 26 });
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

/** How often each version was right. */
export type Right = ReadonlyMap<string, { readonly asked: number; readonly right: number }>;

let requests = 0;

/** Asks for all customers, and tells what they did. */
export async function askAndTell(gateway: Service, model: string, customers: readonly Customer[]): Promise<Right> {
  const found = new Map<string, { asked: number; right: number }>();
  for (let at = 0; at < customers.length; at += BATCH) {
    const some = customers.slice(at, at + BATCH);
    requests += 1;
    const id = `customers-${requests}`;
    const { version, answers } = await ask(gateway, model, id, some);
    const known = found.get(version) ?? { asked: 0, right: 0 };
    const right = answers.filter((leaves, row) => leaves === some[row]?.left).length;
    found.set(version, { asked: known.asked + some.length, right: known.right + right });
    await post(
      `${gateway.url}/feedback`,
      some.map(({ left }, row) => ({ id: `${id}[${row}]`, label: `${left}` })),
    );
  }
  return found;
}

async function ask({ url }: Service, model: string, id: string, customers: readonly Customer[]) {
  const body = { instances: customers.map(({ record }) => record) };
  const response = await post(`${url}/predict?model=${model}`, body, { 'X-Request-Id': id });
  const { predictions } = (await response.json()) as { predictions: { churn: boolean }[] };
  return {
    version: response.headers.get('X-Model-Version') ?? '',
    answers: predictions.map(({ churn }) => churn),
  };
}

async function post(url: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  return response;
}
