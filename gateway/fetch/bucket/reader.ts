/** Reads objects from buckets, with the same limits as images from URLs. */
import type { IncomingMessage } from 'node:http';
import { GatewayError } from '../../errors.ts';
import type { OnBytes, ReadBody } from '../body.ts';
import { createDialer, type DialOptions } from '../dial.ts';
import { requireSuccess } from '../status.ts';
import { unlessAborted } from '../wait.ts';
import { parseBucketEntries } from './entries.ts';
import { createGcsStore } from './gcs.ts';
import { createS3Store } from './s3.ts';
import type { ObjectRequest, Store, StoreOptions } from './store.ts';
import { type BucketObject, objectOf, type Scheme } from './url.ts';

export type ReaderOptions = DialOptions & {
  /** The entries of FETCH_BUCKETS. Only their stores are opened. */
  readonly buckets?: readonly string[];
  readonly stores?: StoreOptions;
};

export type BucketReader = {
  /**
   * The bytes of an object that the guard has allowed. Follows no redirect. Throws `source_failed` (with the store's
   * status, if any), and what `readBody` throws.
   */
  read(url: URL, signal: AbortSignal, onBytes?: OnBytes): Promise<Buffer>;
  close(): void;
};

/** Creates the reader. The stores' clients are loaded only for schemes that an entry has. */
export function createBucketReader(options: ReaderOptions, readBody: ReadBody): BucketReader {
  const { buckets = [], stores: places = {}, watch, ...dialOptions } = options;
  const stores = openStores(buckets, places);
  // The host is the operator's, not the client's: it may be private (MinIO, a private endpoint of the cloud).
  const dialer = createDialer({ checkAddress: () => {} }, dialOptions);

  async function ask(store: Store, object: BucketObject, signal: AbortSignal): Promise<IncomingMessage> {
    const { url, headers } = await credentialed(store, object, signal);
    const response = await dialer.get(url, signal, headers);
    watch?.answered(response);
    return response;
  }

  return {
    async read(url, signal, onBytes) {
      const object = objectOf(url);
      const store = stores.get(object.scheme);
      if (!store) throw new Error(`no store for ${object.scheme}`);
      let response = await ask(store, object, signal);
      try {
        if (store.isElsewhere(response, object)) {
          response.destroy();
          response = await ask(store, object, signal);
        }
        requireSuccess(response);
        return await readBody(response, signal, onBytes);
      } finally {
        // Closes the connection if the body is not read to its end. After a complete body the connection is kept.
        response.destroy();
      }
    },
    close: dialer.close,
  };
}

function openStores(buckets: readonly string[], places: StoreOptions): ReadonlyMap<Scheme, Store> {
  const schemes = new Set(parseBucketEntries('FETCH_BUCKETS', buckets).map(({ scheme }) => scheme));
  const stores = new Map<Scheme, Store>();
  if (schemes.has('gs:')) stores.set('gs:', createGcsStore(places.gcsEmulator));
  if (schemes.has('s3:')) stores.set('s3:', createS3Store(places));
  return stores;
}

/** The request of an object. The platform's own call for credentials goes on after an abort, for the next request. */
async function credentialed(store: Store, object: BucketObject, signal: AbortSignal): Promise<ObjectRequest> {
  try {
    return await unlessAborted(signal, store.request(object));
  } catch (cause) {
    signal.throwIfAborted();
    throw new GatewayError('source_failed', 'the gateway has no credentials for the bucket', { cause });
  }
}
