/** Amazon S3, and servers that speak its protocol: requests signed with AWS' default credentials. */
import { createHash, createHmac } from 'node:crypto';
import type { Store, StoreOptions } from './store.ts';
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
    async request(object) {
      const region = regionOf(object);
      const url = new URL(s3AddressOf(object, region, s3Endpoint));
      const { protocol, hostname, port, pathname: path } = url;
      // Signed with the port where it is part of the header Host.
      const request = { method: 'GET', protocol, hostname, path, headers: { host: url.host } };
      const signed = await (await signer).sign(
        { ...request, query: {}, ...(port !== '' && { port: Number(port) }) },
        { signingRegion: region },
      );
      return { url, headers: signed.headers };
    },
    isElsewhere({ statusCode, headers }, object) {
      const region = headers['x-amz-bucket-region'];
      if (s3Endpoint || !WRONG_REGION.has(statusCode) || typeof region !== 'string') return false;
      if (!REGION.test(region) || region === regionOf(object)) return false;
      regions.set(object.bucket, region);
      return true;
    },
  };
}

/** The address of an object. AWS' certificates have no names for buckets with dots, and other servers often none at all. */
export function s3AddressOf({ bucket, name }: BucketObject, region: string, endpoint?: URL): string {
  const path = name.split('/').map(encodeSegment).join('/');
  const domain = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  if (endpoint) return `${endpoint.origin}/${bucket}/${path}`;
  if (bucket.includes('.')) return `https://s3.${region}.${domain}/${bucket}/${path}`;
  return `https://${bucket}.s3.${region}.${domain}/${path}`;
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
