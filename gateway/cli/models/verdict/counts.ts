/** What the samples of a model say of its versions. */
import type { Side } from '../../../domain/evidence/findings.ts';
import { latencyOfHistogram } from '../../../domain/evidence/latency.ts';
import type { TrafficRole } from '../../../domain/traffic.ts';
import type { Compared } from '../../verdict/report.ts';
import { METRICS, type Sample } from './samples.ts';

/** A version in a role. */
export type Trial = { readonly version: number; readonly role: TrafficRole };

/** The measurements of a candidate and of the version that it is compared with. */
export function comparedOf(samples: readonly Sample[], model: string, candidate: Trial, reference: Trial): Compared {
  const pair = { version: String(candidate.version), against: String(reference.version) };
  const compared = (result: string) => sumOf(samples, METRICS.comparisons, { ...pair, result });
  const [same, different] = [compared('same'), compared('different')];
  const distances = sumOf(samples, `${METRICS.distances}_count`, pair);
  return {
    model,
    candidate: sideOf(samples, candidate),
    reference: sideOf(samples, reference),
    agreement: { count: Math.round(same), total: Math.round(same) + Math.round(different) },
    meanDistance: distances === 0 ? null : sumOf(samples, `${METRICS.distances}_sum`, pair) / distances,
  };
}

/** The version that answered most requests in a role. */
export function mostAsked(samples: readonly Sample[], role: TrafficRole, except: number): number | undefined {
  const requests = new Map<number, number>();
  for (const { name, labels, value } of samples) {
    if (name !== METRICS.requests || labels.role !== role) continue;
    const version = Number(labels.version);
    if (version !== except) requests.set(version, (requests.get(version) ?? 0) + value);
  }
  const [most] = [...requests].sort(([, one], [, other]) => other - one);
  return most?.[0];
}

/** Prometheus estimates growth between scrapes, so its counts have fractions. */
function sideOf(samples: readonly Sample[], { version, role }: Trial): Side {
  const own = { version: String(version), role };
  const requests = (outcome: string) => Math.round(sumOf(samples, METRICS.requests, { ...own, outcome }));
  const errors = requests('error');
  return { version, requests: requests('ok') + errors, errors, latency: latencyOfHistogram(histogramOf(samples, own)) };
}

function histogramOf(samples: readonly Sample[], own: Sample['labels']) {
  const atMost = new Map<number, number>();
  for (const { name, labels, value } of samples) {
    if (name !== `${METRICS.seconds}_bucket` || !has(labels, own)) continue;
    const bound = labels.le === '+Inf' ? Infinity : Number(labels.le);
    atMost.set(bound, (atMost.get(bound) ?? 0) + value);
  }
  const rising = [...atMost].sort(([one], [other]) => one - other);
  return {
    bounds: rising.flatMap(([bound]) => (bound === Infinity ? [] : bound)),
    counts: rising.map(([, count], index) => Math.max(0, count - (rising[index - 1]?.[1] ?? 0))),
    sum: sumOf(samples, `${METRICS.seconds}_sum`, own),
  };
}

function sumOf(samples: readonly Sample[], name: string, wanted: Sample['labels']): number {
  return samples.reduce((sum, one) => sum + (one.name === name && has(one.labels, wanted) ? one.value : 0), 0);
}

const has = (labels: Sample['labels'], wanted: Sample['labels']) =>
  Object.entries(wanted).every(([label, value]) => labels[label] === value);
