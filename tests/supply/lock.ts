/** The lock file, and what may not stand in it. */
import { readFile } from 'node:fs/promises';

type LockEntry = {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly os?: readonly string[];
};
export type Lock = { readonly packages: Readonly<Record<string, LockEntry>> };

export const LOCK_FILE = new URL('../../package-lock.json', import.meta.url);

/** The least versions: below them are known ways in (request smuggling, prototype pollution, crafted pictures). */
const FLOORS: Readonly<Record<string, string>> = {
  sharp: '0.35.0',
  'body-parser': '2.3.0',
  qs: '6.14.1',
  undici: '7.18.2',
  '@grpc/grpc-js': '1.10.9',
};

export async function readLock(): Promise<Lock> {
  return JSON.parse(await readFile(LOCK_FILE, 'utf8')) as Lock;
}

/** `node_modules/a/node_modules/@b/c` holds the package @b/c. */
export const nameOf = (path: string) => path.replace(/^.*node_modules\//, '');

/** Its packages by their paths, without the project itself. */
export const entriesOf = ({ packages }: Lock) => Object.entries(packages).filter(([path]) => path !== '');

/** One line for each thing wrong with the lock; none when it may be installed from. */
export function problemsOf(lock: Lock): string[] {
  return entriesOf(lock).flatMap(([path, entry]) => {
    const { version = '', resolved, integrity } = entry;
    const name = nameOf(path);
    const floor = FLOORS[name];
    return [
      // The registry is the installer's own choice; an address here would send everybody to somebody's.
      ...(resolved ? [`${path}: comes from an address, ${resolved}`] : []),
      ...(integrity?.startsWith('sha512-') || mayLackHash(entry) ? [] : [`${path}: has no hash`]),
      ...(/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version) ? [] : [`${path}: is of no version, but ${version}`]),
      ...(floor && compare(version, floor) < 0 ? [`${path}: is ${version}, below ${floor}`] : []),
    ];
  });
}

/**
 * The binaries of development's tools for other platforms: npm writes their hashes only where it can ask for them, and
 * not every registry mirror has them. Nothing of production is among them.
 */
function mayLackHash({ dev, optional, os }: LockEntry): boolean {
  return dev === true && optional === true && os !== undefined;
}

function compare(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}
