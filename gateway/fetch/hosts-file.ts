/** The system's hosts file (hosts(5)), into which Docker's extra_hosts and Kubernetes' hostAliases write. */
import type { LookupAddress } from 'node:dns';
import { open, stat } from 'node:fs/promises';
import { isIP } from 'node:net';

/** The addresses of a name in the file; undefined if it has none. */
export type HostsFile = (host: string) => Promise<LookupAddress[] | undefined>;

const PATH = process.platform === 'win32' ? String.raw`C:\Windows\System32\drivers\etc\hosts` : '/etc/hosts';
/** A change of the file is seen after this time at the latest. */
const KEPT_MS = 5000;

/** Of the file, read at once. */
const PIECE_BYTES = 16 * 1024;

type Names = ReadonlyMap<string, LookupAddress[]>;

/** Creates the lookup. The file is read again when it has changed. A file that cannot be read has no names. */
export function createHostsFile(path = PATH): HostsFile {
  let names: Promise<Names> = Promise.resolve(new Map());
  let checkedMs = Number.NEGATIVE_INFINITY;
  let readState = '';

  async function current(before: Promise<Names>): Promise<Names> {
    const { mtimeMs, size, ino } = await stat(path);
    const state = `${mtimeMs} ${size} ${ino}`;
    if (state === readState) return before;
    const read = await readHosts(path);
    readState = state;
    return read;
  }

  return async (host) => {
    if (performance.now() - checkedMs > KEPT_MS) {
      checkedMs = performance.now();
      names = current(names).catch(() => {
        readState = '';
        return new Map();
      });
    }
    return (await names).get(host.toLowerCase());
  };
}

/**
 * Reads lines of an address and its names. Other lines, and addresses with a zone, are left out. Files that block
 * advertisements have 200,000 lines: they are read in pieces, between which other work goes on.
 */
async function readHosts(path: string): Promise<Names> {
  const names = new Map<string, LookupAddress[]>();
  await using file = await open(path);
  for await (const line of file.readLines({ highWaterMark: PIECE_BYTES })) {
    const [address = '', ...aliases] = line.replace(/#.*/, '').trim().split(/\s+/);
    const family = isIP(address);
    if (family === 0 || address.includes('%')) continue;
    for (const alias of aliases) {
      const name = alias.toLowerCase();
      const known = names.get(name);
      if (known) known.push({ address, family });
      else names.set(name, [{ address, family }]);
    }
  }
  return names;
}
