/** A store of buckets: how an object is asked for. */
import type { IncomingMessage } from 'node:http';
import type { BucketObject } from './url.ts';

/** A GET that has the gateway's credentials in its headers. */
export type ObjectRequest = { readonly url: URL; readonly headers: Readonly<Record<string, string>> };

export type Store = {
  /**
   * The GET of an object. Its host comes from the settings and the bucket, never from the object's name. Rejects if
   * the platform gives no credentials.
   */
  request(object: BucketObject): Promise<ObjectRequest>;
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
