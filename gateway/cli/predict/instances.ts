/** `tensorgate predict --json-instances FILE`: sends the instances of a file, as `gcloud … predict` does. */
import { readFileSync } from 'node:fs';
import { ConfigError } from '../../config/read.ts';
import { causeOf, predictAddress } from '../gateway/address.ts';

export type InstancesOptions = {
  /** A file with one JSON value a line; `-` is stdin. */
  readonly jsonInstances: string;
  readonly url: string;
  readonly model?: string;
  readonly modelVersion?: string;
  readonly label?: string;
  readonly key?: string;
};

/** Sends all instances in one request and prints the answer. Exits with 1 for an error of the gateway. Throws ConfigError. */
export async function predictInstances({ jsonInstances: file, key, ...asked }: InstancesOptions): Promise<void> {
  const body = bodyOf(readText(file), file);
  const url = predictAddress(asked.url, '--url', asked);
  const headers = { 'Content-Type': 'application/json', ...(key && { Authorization: `Bearer ${key}` }) };
  try {
    const response = await fetch(url, { method: 'POST', headers, body });
    const text = await response.text();
    if (response.ok) process.stdout.write(`${text}\n`);
    else fail(`${response.status} ${text}`);
  } catch (error) {
    fail(`${url.origin}: no gateway answers there (${causeOf(error)})`);
  }
}

function fail(text: string): void {
  process.stderr.write(`${text}\n`);
  process.exitCode = 1;
}

/** The text of the lines is sent as it is: nothing is rounded. Throws ConfigError with the line that is no JSON. */
function bodyOf(text: string, file: string): string {
  const lines = text.split('\n').map((line) => line.trim());
  for (const [index, line] of lines.entries()) {
    if (line !== '' && !isJson(line)) throw new ConfigError(`${file}:${index + 1}: needs one JSON value a line`);
  }
  const instances = lines.filter((line) => line !== '');
  if (instances.length === 0) throw new ConfigError(`${file}: has no instances; needs one JSON value a line`);
  return `{"instances":[${instances.join(',')}]}`;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false; // that is the answer
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (cause) {
    throw new ConfigError(`--json-instances ${file}: cannot be read (${causeOf(cause)})`, { cause });
  }
}
