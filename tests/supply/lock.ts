/** Reads package-lock.json and checks it. */
import { readFile } from 'node:fs/promises';

type LockEntry = {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly os?: readonly string[];
  readonly dependencies?: Names;
  readonly optionalDependencies?: Names;
  readonly peerDependencies?: Names;
};
type Names = Readonly<Record<string, string>>;
export type Lock = { readonly packages: Readonly<Record<string, LockEntry>> };

export const LOCK_FILE = new URL('../../package-lock.json', import.meta.url);

/** Minimum versions. Lower ones have known vulnerabilities (request smuggling, prototype pollution, crafted images). */
const MIN_VERSIONS: Readonly<Record<string, string>> = {
  sharp: '0.35.0',
  'body-parser': '2.3.0',
  qs: '6.14.1',
  undici: '7.18.2',
  '@grpc/grpc-js': '1.10.9',
};

export async function readLock(): Promise<Lock> {
  return JSON.parse(await readFile(LOCK_FILE, 'utf8')) as Lock;
}

/** The package name of a path: @b/c for `node_modules/a/node_modules/@b/c`. */
export const nameOf = (path: string) => path.replace(/^.*node_modules\//, '');

/** The packages of the lock by path, without the project itself. */
export const entriesOf = ({ packages }: Lock) => Object.entries(packages).filter(([path]) => path !== '');

/** The paths of all packages that the gateway's image has: what the project's dependencies need, without its optional ones. */
export function packagesOfImage({ packages }: Lock): ReadonlySet<string> {
  const found = new Set<string>();
  const addFrom = (from: string, names: Names) => {
    for (const name of Object.keys(names)) {
      const at = pathOf(name, from, packages);
      if (at === undefined || found.has(at)) continue;
      found.add(at);
      const { dependencies, optionalDependencies, peerDependencies } = packages[at] ?? {};
      addFrom(at, { ...dependencies, ...optionalDependencies, ...peerDependencies });
    }
  };
  addFrom('', packages['']?.dependencies ?? {});
  return found;
}

/** The package that an import in another one finds: the nearest `node_modules` that has it. */
function pathOf(name: string, from: string, packages: Lock['packages']): string | undefined {
  const at = `${from}${from && '/'}node_modules/${name}`;
  if (packages[at]) return at;
  return from === '' ? undefined : pathOf(name, from.replace(/\/?node_modules\/(@[^/]+\/)?[^/]+$/, ''), packages);
}

/** One line for each problem of the lock. */
export function problemsOf(lock: Lock): string[] {
  return entriesOf(lock).flatMap(([path, entry]) => {
    const { version = '', resolved, integrity } = entry;
    const name = nameOf(path);
    const minVersion = MIN_VERSIONS[name];
    return [
      // An address in the lock would override the registry that the user has configured.
      ...(resolved ? [`${path}: comes from an address, ${resolved}`] : []),
      ...(integrity?.startsWith('sha512-') || mayLackHash(entry) ? [] : [`${path}: has no SHA-512 hash`]),
      ...(/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version) ? [] : [`${path}: ${version} is not an exact version`]),
      ...(minVersion && compare(version, minVersion) < 0 ? [`${path}: is ${version}, below ${minVersion}`] : []),
    ];
  });
}

/**
 * Optional development binaries for other platforms may lack a hash: npm writes hashes only if the registry has them,
 * and not every mirror does. No production package is among them.
 */
function mayLackHash({ dev, optional, os }: LockEntry): boolean {
  return dev === true && optional === true && os !== undefined;
}

function compare(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}
