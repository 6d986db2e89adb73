/** Amazon S3, and servers that speak its protocol: requests signed with AWS' default credentials. */
import { createHash, createHmac } from 'node:crypto';
import type { Action, ObjectRequest, Page, Store, StoreOptions } from './store.ts';
import { type BucketObject, encodeSegment } from './url.ts';

const DEFAULT_REGION = 'us-east-1';
/** A region becomes part of a host name. */
const REGION = /^[a-z]{2,4}(?:-[a-z]+)+-\d{1,2}$/;
/** S3 answers these for a bucket of another region, with that region in a header. */
const WRONG_REGION: ReadonlySet<number | undefined> = new Set([301, 307, 400]);

/** Creates the store. Starts loading the client at once, so that the first request does not wait for it. */
export function createS3Store({ s3Endpoint, s3Region = DEFAULT_REGION }: StoreOptions): Store {
  const signer = loadSigner();
  const regions = new Map<string, string>();
  const regionOf = ({ bucket }: BucketObject) => regions.get(bucket) ?? s3Region;

  return {
    async request(object, action) {
      const region = regionOf(object);
      const { method, url } = s3CallOf(object, action, { region, endpoint: s3Endpoint });
      const { protocol, hostname, port, pathname: path, searchParams } = url;
      // What is uploaded is not read for a hash first. TLS protects it on its way.
      const unsigned = action === 'write' ? { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } : {};
      // Signed with the port where it is part of the header Host.
      const request = { method, protocol, hostname, path, headers: { host: url.host, ...unsigned } };
      const signed = await (await signer).sign(
        { ...request, query: Object.fromEntries(searchParams), ...(port !== '' && { port: Number(port) }) },
        { signingRegion: region },
      );
      return { method, url, headers: signed.headers };
    },
    pageOf: s3PageOf,
    isElsewhere({ statusCode, headers }, object) {
      const region = headers['x-amz-bucket-region'];
      if (s3Endpoint || !WRONG_REGION.has(statusCode) || typeof region !== 'string') return false;
      if (!REGION.test(region) || region === regionOf(object)) return false;
      regions.set(object.bucket, region);
      return true;
    },
  };
}

/** A region, and a server other than AWS. */
export type S3Place = { readonly region: string; readonly endpoint?: URL | undefined };

const METHODS = { read: 'GET', write: 'PUT', remove: 'DELETE' } as const;

/** The method and address of an action. */
export function s3CallOf(
  { bucket, name }: BucketObject,
  action: Action = 'read',
  place: S3Place = { region: DEFAULT_REGION },
): Pick<ObjectRequest, 'method' | 'url'> {
  const origin = s3AddressOf(bucket, place);
  if (typeof action === 'string') {
    const path = name.split('/').map(encodeSegment).join('/');
    return { method: METHODS[action], url: new URL(`${origin}/${path}`) };
  }
  const url = new URL(`${origin}/?list-type=2&prefix=${encodeSegment(name)}`);
  if (action.listAfter !== '') url.searchParams.set('start-after', action.listAfter);
  // As the signature needs it: URLSearchParams writes a space as a plus.
  url.search = url.search.replaceAll('+', '%20');
  return { method: 'GET', url };
}

/** The address of a bucket. AWS' certificates have no names for buckets with dots, and other servers often none at all. */
function s3AddressOf(bucket: string, { region, endpoint }: S3Place): string {
  const domain = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  if (endpoint) return `${endpoint.origin}/${bucket}`;
  if (bucket.includes('.')) return `https://s3.${region}.${domain}/${bucket}`;
  return `https://${bucket}.s3.${region}.${domain}`;
}

/** Reads the XML of ListObjectsV2. Its names have no markup inside, only references. */
function s3PageOf(text: string): Page {
  const names = [...text.matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, name = '']) => unescaped(name));
  return { names, next: text.includes('<IsTruncated>true</IsTruncated>') ? names.at(-1) : undefined };
}

const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** Replaces XML's references: `&amp;`, `&#13;`, `&#xD;`. */
function unescaped(text: string): string {
  return text.replace(/&(?:#x([\da-f]+)|#(\d+)|(\w+));/gi, (whole, hex, decimal, name) => {
    if (name !== undefined) return NAMED[name] ?? whole;
    return String.fromCodePoint(hex === undefined ? Number(decimal) : Number.parseInt(hex, 16));
  });
}

/**
 * AWS' clients for credentials (environment, IRSA, shared files, Pod Identity, instance roles) and for the signature.
 * The credentials are kept until shortly before they expire.
 */
async function loadSigner() {
  const [{ defaultProvider }, { SignatureV4 }] = await Promise.all([
    import('@aws-sdk/credential-provider-node'),
    import('@smithy/signature-v4'),
  ]);
  // S3 alone signs the path as it is sent, encoded once.
  return new SignatureV4({
    service: 's3',
    region: DEFAULT_REGION,
    credentials: defaultProvider(),
    sha256: Sha256,
    uriEscapePath: false,
  });
}

type Bytes = string | ArrayBuffer | ArrayBufferView;

const bytesOf = (data: Bytes) => {
  if (typeof data === 'string') return data;
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
};

/** SHA-256, or HMAC-SHA-256 with a secret, in the form that the signature takes. */
class Sha256 {
  readonly #hash;

  constructor(secret?: Bytes) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(secret));
  }

  update(data: Bytes): void {
    this.#hash.update(bytesOf(data));
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }
}
