/** The guard's rules: each yields one finding. `guard.ts` describes what they mean together. */
import { isIP } from 'node:net';
import { type Address, canonical, contains, isSingle, parseAddress, type Range, rangeOf } from './address.ts';
import { type BucketEntry, opensObject } from './bucket/entries.ts';
import { isBucketUrl, objectOf } from './bucket/url.ts';
import { type Entries, matchesUrl } from './entries.ts';
import { type Finding, passed, refused } from './finding.ts';
import { isPrivateName } from './resolve.ts';
import { hostOf, isHttp, portOf } from './source-url.ts';

/** The settings of the guard, with their entries parsed. */
export type Policy = {
  readonly allow: Entries;
  readonly deny: Entries;
  readonly allowPrivate: boolean;
  readonly ports: readonly number[];
  readonly buckets: readonly BucketEntry[];
};

/** Names of metadata services. Those of other clouds are refused by their addresses only. */
const METADATA_HOSTS: ReadonlySet<string> = new Set(['metadata.google.internal', 'metadata.goog']);

/** The findings on a parsed URL. */
export function* judgeUrl({ allow, deny, allowPrivate, buckets }: Policy, url: URL): Iterable<Finding> {
  if (isBucketUrl(url)) {
    yield judgeObject(buckets, url);
    return;
  }
  const host = hostOf(url);
  yield isHttp(url)
    ? passed('scheme', url.protocol.slice(0, -1))
    : refused('scheme', `scheme ${url.protocol} is neither http nor https`);
  yield listsHost(deny, url)
    ? refused('deny-list', `${host} is in FETCH_DENY`, 'removing it from FETCH_DENY')
    : passed('deny-list', `${host} is not in FETCH_DENY`);
  if (METADATA_HOSTS.has(host)) {
    const isNamed = allow.hosts.some((entry) => entry.itself && entry.host === host);
    const text = `${host} is a cloud metadata service`;
    yield isNamed ? passed('metadata-name', text) : refused('metadata-name', text, withEntry(allow, host));
  }
  const isListed = listsHost(allow, url) || listsLiteral(allow, host);
  if (allow.hosts.length === 0) yield passed('allow-list', 'FETCH_ALLOW lists no host');
  else if (isListed) yield passed('allow-list', `${url.origin} is in FETCH_ALLOW`);
  else yield refused('allow-list', `${url.origin} is not in FETCH_ALLOW`, withEntry(allow, host));
  if (isPrivateName(host)) {
    const isAllowed = allowPrivate || allow.nets.length > 0 || isListed;
    const lift = 'FETCH_ALLOW with the CIDR of its addresses, or FETCH_ALLOW_PRIVATE=true,';
    const text = `${host} is a private name`;
    yield isAllowed ? passed('private-name', text) : refused('private-name', text, lift);
  }
}

/** The finding on an object of a bucket. */
function judgeObject(entries: readonly BucketEntry[], url: URL): Finding {
  const object = objectOf(url);
  const bucket = `${object.scheme}//${object.bucket}`;
  if (opensObject(entries, object)) return passed('bucket-list', `FETCH_BUCKETS opens it in ${bucket}`);
  const isPartlyOpen = entries.some((entry) => `${entry.scheme}//${entry.bucket}` === bucket);
  const text = isPartlyOpen ? `FETCH_BUCKETS opens other folders of ${bucket}` : `${bucket} is not in FETCH_BUCKETS`;
  return refused('bucket-list', text, `FETCH_BUCKETS=${entries.length > 0 ? '…,' : ''}${bucket}`);
}

/** The findings on one address of the URL's host. */
export function* judgeAddress(policy: Policy, text: string, url: URL): Iterable<Finding> {
  const address = parseAddress(text);
  if (!address) {
    yield refused('address', `${text} is not an address`);
    return;
  }
  const target = canonical(address);
  const isDenied = [address, target].some((form) => listsAddress(policy.deny, form));
  yield isDenied
    ? refused('denied-address', `${text} is in FETCH_DENY`, 'removing its CIDR from FETCH_DENY')
    : passed('denied-address', `${text} is not in FETCH_DENY`);
  const range = rangeOf(target);
  const description = `${text} is ${describe(range)}`;
  yield isAddressOpen(policy, target, range)
    ? passed('address', description)
    : refused('address', description, settingThatOpens(policy, target, range));
  const port = portOf(url);
  const isAnyPortOpen = policy.allowPrivate && range.reach === 'private';
  yield isAnyPortOpen || isPortOpen(policy, url)
    ? passed('port', `port ${port} is open`)
    : refused('port', `port ${port} is closed`, `FETCH_PORTS=${[...policy.ports, port].join(',')}`);
}

function isAddressOpen({ allow, allowPrivate }: Policy, target: Address, { reach }: Range): boolean {
  if (reach === 'public' || (reach === 'private' && allowPrivate)) return true;
  if (reach !== 'metadata') return listsAddress(allow, target);
  return allow.nets.some((net) => isSingle(net) && contains(net, target));
}

function isPortOpen({ allow, ports }: Policy, url: URL): boolean {
  return ports.includes(portOf(url)) || allow.hosts.some((entry) => entry.origin && matchesUrl(entry, url));
}

function settingThatOpens({ allow }: Policy, target: Address, { reach }: Range): string {
  const setting = withEntry(allow, target.toString());
  if (reach === 'metadata') return `${setting} (exactly this address)`;
  const withCidr = `${setting} (or its CIDR)`;
  return reach === 'private' ? `${withCidr}, or FETCH_ALLOW_PRIVATE=true,` : withCidr;
}

/** FETCH_ALLOW with this entry added. The present entries are shortened to an ellipsis: there can be many. */
function withEntry({ hosts, nets }: Entries, entry: string): string {
  return `FETCH_ALLOW=${hosts.length + nets.length > 0 ? '…,' : ''}${entry}`;
}

/** "private, RFC 1918", "private (loopback)", "public". */
const describe = ({ reach, name }: Range) => (name.startsWith(reach) ? name : `${reach} (${name})`);

const listsHost = ({ hosts }: Entries, url: URL) => hosts.some((entry) => matchesUrl(entry, url));
const listsAddress = ({ nets }: Entries, address: Address) => nets.some((net) => contains(net, address));

/** Whether the host is an address literal within one of the CIDRs. */
function listsLiteral(entries: Entries, host: string): boolean {
  const address = isIP(host) === 0 ? undefined : parseAddress(host);
  return address !== undefined && listsAddress(entries, canonical(address));
}
