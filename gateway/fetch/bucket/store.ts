/** A store of buckets: how its objects are asked for. */
import type { IncomingMessage } from 'node:http';
import type { BucketObject } from './url.ts';

/**
 * What is asked of a store. Requests of clients only read; `tensorgate batch` does the rest. `listAfter`: the objects whose names
 * begin with the object's name, a page at a time; "" for the first page, else the `next` of the page before.
 */
export type Action = 'read' | 'write' | 'remove' | { readonly listAfter: string };

/** A request that has the platform's credentials in its headers. */
export type ObjectRequest = {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
};

/** The names of a list. `next`: where the next page begins; absent on the last one. */
export type Page = { readonly names: readonly string[]; readonly next?: string | undefined };

export type Store = {
  /**
   * The request of an action, by default the GET of the object. Its host comes from the settings and the bucket, never from the
   * object's name. Rejects if the platform gives no credentials.
   */
  request(object: BucketObject, action?: Action): Promise<ObjectRequest>;
  /** Reads the answer to a list. */
  pageOf(text: string): Page;
  /** Whether the answer says that the bucket is at another endpoint of the store. The next request goes there. */
  isElsewhere(response: Pick<IncomingMessage, 'statusCode' | 'headers'>, object: BucketObject): boolean;
};

/** Where the stores are. The platform's own variables say so, if they are set. */
export type StoreOptions = {
  /** An emulator of Google Cloud Storage, which is asked without credentials. Default: Google's endpoint. */
  readonly gcsEmulator?: URL | undefined;
  /** An S3-compatible server. Default: AWS' endpoint of the region. */
  readonly s3Endpoint?: URL | undefined;
  /** Default: us-east-1. A bucket of AWS in another region is found by itself. */
  readonly s3Region?: string | undefined;
};
