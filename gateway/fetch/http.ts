/** Fetches an image by its URL: guarded, with a size limit and a timeout. Follows redirects itself. */
import { LinkedController } from '../domain/linked-controller.ts';
import type { RequestContext } from '../domain/request.ts';
import { GatewayError } from '../errors.ts';
import { createBodyReader, type OnBytes } from './body.ts';
import { createBucketReader, type ReaderOptions } from './bucket/reader.ts';
import { isBucketUrl } from './bucket/url.ts';
import { createDialer } from './dial.ts';
import { publicFailure } from './failure.ts';
import { createGuard, type GuardOptions } from './guard.ts';
import { isRedirect, redirectTarget } from './redirect.ts';
import { parseSourceUrl, refuseUserinfo } from './source-url.ts';
import { requireSuccess } from './status.ts';

/** `createGuard` describes which URLs and addresses are allowed. */
export type FetchOptions = GuardOptions &
  ReaderOptions & {
    /** Size limit of the body, as received and as decoded. */
    readonly maxBytes: number;
    readonly maxRedirects: number;
    /** Timeout of the whole download: lookups, connections, redirects and body together. */
    readonly timeoutMs: number;
  };

export type Fetch = {
  /**
   * Downloads the bytes at a URL. `field` is where the URL was in the request, for error texts. Throws GatewayError
   * `invalid_url`, `source_forbidden`, `source_failed` (with the source's status, if any), `source_timeout`,
   * `source_too_large`, `source_not_image` (a damaged Content-Encoding) or `client_gone`. Does not check what the bytes
   * are. `onBytes` gets the length of each chunk as it arrives, and of each chunk that is decoded from a
   * Content-Encoding. It can end the download with an error.
   */
  (url: string, field: string, context: Pick<RequestContext, 'signal'>, onBytes?: OnBytes): Promise<Buffer>;
  /** Closes all connections. Running fetches fail. */
  close(): void;
};

/** Creates the fetch. All requests to image sources go through it. Keeps connections open between fetches. */
export function createFetch(options: FetchOptions): Fetch {
  const { maxBytes, maxRedirects, timeoutMs } = options;
  const guard = createGuard(options);
  const readBody = createBodyReader(maxBytes);
  const shared = sharedSockets(options);
  const dialer = createDialer(guard, shared);
  const buckets = createBucketReader(shared, readBody);

  /** Sends one request. Returns the body, or the target of a redirect. */
  async function exchange(url: URL, signal: AbortSignal, onBytes?: OnBytes): Promise<Buffer | URL> {
    options.watch?.asked(url);
    guard.checkUrl(url);
    // After the guard, which is to see the real host: that of https://listed.example@other.example/ is other.example.
    refuseUserinfo(url);
    const response = await dialer.get(url, signal);
    options.watch?.answered(response);
    try {
      if (isRedirect(response)) return redirectTarget(response, url);
      requireSuccess(response);
      return await readBody(response, signal, onBytes);
    } finally {
      // Closes the connection if the body is not read to its end. After a complete body the connection is kept.
      response.destroy();
    }
  }

  /** Reads an object of a bucket. Follows no redirect. */
  async function readObject(url: URL, signal: AbortSignal, onBytes?: OnBytes): Promise<Buffer> {
    options.watch?.asked(url);
    guard.checkUrl(url);
    return await buckets.read(url, signal, onBytes);
  }

  /** Follows redirects. Adds each requested URL to `hops`. */
  async function download(text: string, hops: URL[], signal: AbortSignal, onBytes?: OnBytes): Promise<Buffer> {
    let url = parseSourceUrl(text);
    if (isBucketUrl(url)) {
      hops.push(url);
      return await readObject(url, signal, onBytes);
    }
    while (hops.push(url) <= maxRedirects + 1) {
      const outcome = await exchange(url, signal, onBytes);
      if (!(outcome instanceof URL)) return outcome;
      url = outcome;
    }
    throw new GatewayError('source_failed', `the source redirects more than ${maxRedirects} times`);
  }

  async function fetch(
    text: string,
    field: string,
    context: Pick<RequestContext, 'signal'>,
    onBytes?: OnBytes,
  ): Promise<Buffer> {
    using ending = new LinkedController(context.signal);
    const { signal } = ending;
    // AbortSignal.timeout cannot be cancelled: thousands of timers would fire long after their fetch.
    const timer = setTimeout(() => ending.abort(), timeoutMs);
    const hops: URL[] = [];
    try {
      return await download(text, hops, signal, onBytes);
    } catch (thrown) {
      throw publicFailure(thrown, { field, hops, client: context.signal, signal });
    } finally {
      clearTimeout(timer);
    }
  }

  const close = () => {
    dialer.close();
    buckets.close();
  };
  return Object.assign(fetch, { close });
}

/** Buckets do not share connections with other sources. Where buckets are allowed, each side gets half of the sockets. */
function sharedSockets(options: FetchOptions): FetchOptions {
  const { buckets = [], maxTotalSockets } = options;
  if (buckets.length === 0 || maxTotalSockets === undefined) return options;
  return { ...options, maxTotalSockets: Math.ceil(maxTotalSockets / 2) };
}
