/** The samples of gateways, from the text of their metrics. */
import { causeOf } from '../../gateway/address.ts';
import { refused } from '../failure.ts';
import { type Sample, SERIES } from './samples.ts';

const TIMEOUT_MS = 10_000;
const LINE = /^([A-Za-z_:][\w:]*)\{(.*)\}\s+(\S+)/;
const LABEL = /([A-Za-z_]\w*)="((?:[^"\\]|\\.)*)"/g;
const ESCAPED: Readonly<Record<string, string>> = { n: '\n' };

/** The samples of a model on all gateways, each since its gateway started. Throws `refused` for an address without metrics. */
export async function samplesOfGateways(addresses: readonly string[], model: string): Promise<readonly Sample[]> {
  const texts = await Promise.all(addresses.map(metricsAt));
  return texts.flatMap((text) => samplesIn(text, model));
}

/** Prometheus' text format 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats). Other series are skipped. */
export function samplesIn(text: string, model: string): Sample[] {
  return text.split('\n').flatMap((line): Sample[] => {
    const [, name = '', inBraces = '', value = ''] = LINE.exec(line) ?? [];
    if (!Object.hasOwn(SERIES, name)) return [];
    const pairs = [...inBraces.matchAll(LABEL)].map(([, label = '', raw = '']) => [label, unescaped(raw)]);
    const labels = Object.fromEntries(pairs) as Sample['labels'];
    return labels.model === model ? [{ name, labels, value: Number(value) }] : [];
  });
}

const unescaped = (text: string) => text.replace(/\\(.)/g, (_, char: string) => ESCAPED[char] ?? char);

async function metricsAt(address: string): Promise<string> {
  const url = URL.parse(address);
  if (!url || !/^https?:$/.test(url.protocol)) throw refused(`--metrics ${address}: needs http:// or https://`);
  const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) }).catch((cause: unknown) => {
    throw refused(`--metrics ${address}: does not answer (${causeOf(cause)})`, { cause });
  });
  const text = await response.text();
  if (response.ok && text.includes('tensorgate_requests_total')) return text;
  throw refused(
    `--metrics ${address}: has no metrics of a gateway (status ${response.status}); they are on ADMIN_PORT`,
  );
}
