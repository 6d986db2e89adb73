/** The system's hosts file (hosts(5)), into which Docker's extra_hosts and Kubernetes' hostAliases write. */
import type { LookupAddress } from 'node:dns';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';

/** The addresses of a name in the file; undefined if it has none. */
export type HostsFile = (host: string) => Promise<LookupAddress[] | undefined>;

const PATH = process.platform === 'win32' ? String.raw`C:\Windows\System32\drivers\etc\hosts` : '/etc/hosts';
/** A change of the file is seen after this time at the latest. */
const KEPT_MS = 5000;

type Names = ReadonlyMap<string, LookupAddress[]>;

/** Creates the lookup. A file that cannot be read has no names. */
export function createHostsFile(path = PATH): HostsFile {
  let names: Promise<Names> = Promise.resolve(new Map());
  let readMs = Number.NEGATIVE_INFINITY;
  return async (host) => {
    if (performance.now() - readMs > KEPT_MS) {
      readMs = performance.now();
      names = readFile(path, 'utf8').then(parseHosts, () => new Map());
    }
    return (await names).get(host.toLowerCase());
  };
}

/** Parses lines of an address and its names. Other lines, and addresses with a zone, are left out. */
export function parseHosts(text: string): Names {
  const names = new Map<string, LookupAddress[]>();
  for (const line of text.split('\n')) {
    const [address = '', ...aliases] = line.replace(/#.*/, '').trim().split(/\s+/);
    const family = isIP(address);
    if (family === 0 || address.includes('%')) continue;
    for (const alias of aliases) {
      const name = alias.toLowerCase();
      names.set(name, [...(names.get(name) ?? []), { address, family }]);
    }
  }
  return names;
}
