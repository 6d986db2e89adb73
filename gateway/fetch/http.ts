/** Fetches an image over http or https: guarded, capped, timed, with redirects followed by hand. */
import type { IncomingMessage } from 'node:http';
import type { RequestContext } from '../domain/request.ts';
import { GatewayError } from '../errors.ts';
import { readBody } from './body.ts';
import { createDialer, type DialOptions } from './dial.ts';
import { publicFailure } from './failure.ts';
import { createGuard, type GuardOptions, Refusal } from './guard.ts';
import { parseSourceUrl, refuseUserinfo } from './source-url.ts';

/** From where one may fetch is told at `createGuard`. */
export type FetchOptions = GuardOptions &
  DialOptions & {
    /** Largest body. */
    readonly maxBytes: number;
    readonly maxRedirects: number;
    /** For the whole download: lookups, connections, redirects and body together. */
    readonly timeoutMs: number;
  };

export type Fetch = {
  /**
   * Downloads the bytes at a URL; `field` is where the URL stood in the request. Throws GatewayError `invalid_url`,
   * `source_forbidden`, `source_failed` (with the origin's status, if it gave one), `source_timeout`,
   * `source_too_large`, `source_not_image` (an encoded answer) or `client_gone`. What the bytes are is not judged here.
   */
  (url: string, field: string, context: Pick<RequestContext, 'signal'>): Promise<Buffer>;
  /** Closes all connections; fetches under way fail. */
  close(): void;
};

const REDIRECTS: ReadonlySet<number | undefined> = new Set([301, 302, 303, 307, 308]);

/** Makes the one way out to strangers' servers. Keeps connections open between fetches. */
export function createFetch(options: FetchOptions): Fetch {
  const { maxBytes, maxRedirects, timeoutMs } = options;
  const guard = createGuard(options);
  const dialer = createDialer(guard, options);

  /** One request and its answer: the body, or where a redirect leads. */
  async function exchange(url: URL, signal: AbortSignal): Promise<Buffer | URL> {
    options.watch?.asked(url);
    guard.checkUrl(url);
    // After the guard: the host of https://listed.example@other.example/ is other.example.
    refuseUserinfo(url);
    const response = await dialer.get(url, signal);
    options.watch?.answered(response);
    try {
      if (REDIRECTS.has(response.statusCode)) return redirectTarget(response, url);
      if (response.statusCode !== 200) throw badStatus(response);
      return await readBody(response, maxBytes);
    } finally {
      // Closes the connection if there is more to come that nobody wants; after a whole body it is kept.
      response.destroy();
    }
  }

  /** Follows redirects; `hops` collects the URLs asked. */
  async function download(text: string, hops: URL[], signal: AbortSignal): Promise<Buffer> {
    let url = parseSourceUrl(text);
    while (hops.push(url) <= maxRedirects + 1) {
      const outcome = await exchange(url, signal);
      if (!(outcome instanceof URL)) return outcome;
      url = outcome;
    }
    throw new GatewayError('source_failed', `the source redirects more than ${maxRedirects} times`);
  }

  async function fetch(text: string, field: string, context: Pick<RequestContext, 'signal'>): Promise<Buffer> {
    // Not AbortSignal.timeout: that one cannot be called off, and thousands would fire long after their fetch.
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), timeoutMs);
    const signal = AbortSignal.any([context.signal, limit.signal]);
    const hops: URL[] = [];
    try {
      return await download(text, hops, signal);
    } catch (thrown) {
      throw publicFailure(thrown, { field, hops, client: context.signal, signal });
    } finally {
      clearTimeout(timer);
    }
  }

  return Object.assign(fetch, { close: dialer.close });
}

/** Where a redirect leads. A URL that the source got wrong is the source's failure, not the client's. */
function redirectTarget({ headers: { location } }: IncomingMessage, from: URL): URL {
  if (location === undefined) throw new GatewayError('source_failed', 'the source redirects to nowhere');
  const to = parseLocation(location, from);
  if (from.protocol === 'https:' && to.protocol === 'http:')
    throw new Refusal({ rule: 'downgrade', text: 'a redirect leads from https to http' });
  return to;
}

function parseLocation(location: string, from: URL): URL {
  try {
    const to = parseSourceUrl(location, from);
    refuseUserinfo(to);
    return to;
  } catch (cause) {
    throw new GatewayError('source_failed', 'the source redirects to a URL that is not valid', { cause });
  }
}

/** 206, 304 and other answers that are no failure to HTTP are one to us: we asked for a whole image, and no less. */
function badStatus({ statusCode: sourceStatus = 0 }: IncomingMessage): GatewayError {
  return new GatewayError('source_failed', `the source answered with status ${sourceStatus}`, { sourceStatus });
}
