/** Versions and labels of a model for tests. */
import { GatewayError } from '../errors.ts';
import { Labels } from './labels.ts';
import type { Verdict } from './served.ts';
import type { Binding } from './signatures.ts';
import { Splits } from './splits.ts';
import { ModelVersions } from './versions.ts';

export const METADATA = { version: 1, protocol: 'tf-serving' as const, signatures: new Map() };
export const USABLE: Extract<Verdict, { kind: 'usable' }> = {
  kind: 'usable',
  parity: { state: 'unproven', detail: '' },
  binding: { card: { name: 'm' }, version: 1 } as Binding,
};

export const REFUSED: Verdict = { kind: 'refused', problem: 'parity is differing: it is red' };
export const OPEN: Verdict = { kind: 'open' };

/** Versions on servers, by the number and the server's name. */
export function versionsOf(verdicts: Readonly<Record<number, Readonly<Record<string, Verdict>>>>): ModelVersions {
  const versions = new ModelVersions(() => undefined);
  const entries = Object.entries(verdicts);
  for (const server of new Set(entries.flatMap(([, servers]) => Object.keys(servers)))) {
    const own = entries.filter(([, servers]) => server in servers);
    const statuses = own.map(([version]) => ({ version: Number(version), state: 'AVAILABLE', error: '' }) as const);
    versions.setStatuses(server, statuses);
  }
  for (const [version, servers] of entries) {
    for (const [server, verdict] of Object.entries(servers)) {
      versions.setMetadata(server, Number(version), METADATA);
      const binding = { card: { name: 'm' }, version: Number(version) } as Binding;
      const served = versions.all.find((one) => one.server === server && one.version === Number(version));
      if (served) versions.setVerdict(served, verdict === USABLE ? { ...USABLE, binding } : verdict);
    }
  }
  return versions;
}

/** The labels of a model at its only server. */
export function labelsOf(known: Readonly<Record<string, number>>) {
  const backend = {
    servers: () => ['s'],
    metadata: async ({ label = '' }) => {
      const version = known[label];
      if (version === undefined) throw new GatewayError('internal', 'Unrecognized servable version label');
      return { ...METADATA, version };
    },
  };
  const labels = new Labels(backend, 'm');
  return { labels, splits: new Splits(labels) };
}
