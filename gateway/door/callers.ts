/** Authenticates callers by their API key, and applies their rate limits. */
import { findKey, type Key } from '../access/keys.ts';
import type { Rate } from '../access/rate.ts';
import type { RateLimitState, RateLimits } from '../access/rate-limits.ts';
import { GatewayError } from '../errors.ts';
import { clientNetwork } from './client-network.ts';

export type Caller = {
  /** Whom the queue serves in turn: the name of the key, or without keys the client's address or network. */
  readonly tenant: string;
  /** The name of the key, for the log. */
  readonly key?: string;
  /** Rate limits count by it: `key:NAME` or `address:ADDRESS`. Empty if nothing is counted. */
  readonly identity: string;
  readonly rate?: Rate | undefined;
  readonly quota?: number | undefined;
  /** Why the caller is refused. */
  readonly refusal?: string;
};

/** What a request says of its caller. */
export type Credentials = {
  /** The headers Authorization and X-API-Key. */
  readonly authorization: string | undefined;
  readonly apiKey: string | undefined;
  /** The client's address, by TRUSTED_PROXIES. */
  readonly client: string | undefined;
};

/** Takes headers of the answer. */
export type Headers = { setHeader(name: string, value: string): void };

export type Callers = {
  /** The caller of a request. Does not throw: `authorize` refuses unknown callers. */
  identify(credentials: Credentials): Caller;
  /** Counts the request and sets the rate limit headers. Throws `unauthenticated` and `quota`. */
  authorize(caller: Caller, answer: Headers): Promise<void>;
};

export type CallersOptions = {
  /** The current keys; undefined if requests need no key. */
  readonly keys: () => readonly Key[] | undefined;
  /** The limit for keys without their own, and for client addresses. */
  readonly rate: Rate | undefined;
  readonly limits: RateLimits;
};

/** Creates the check of callers that runs before every handler. */
export function createCallers({ keys, rate, limits }: CallersOptions): Callers {
  return {
    identify(credentials) {
      const currentKeys = keys();
      if (!currentKeys) {
        const network = clientNetwork(credentials.client ?? '');
        return { tenant: network, identity: rate ? `address:${network}` : '', rate };
      }
      return callerOfKey(currentKeys, givenKey(credentials), rate);
    },
    async authorize({ refusal, ...caller }, answer) {
      if (refusal !== undefined) {
        answer.setHeader('WWW-Authenticate', 'Bearer realm="tensorgate"');
        throw new GatewayError('unauthenticated', refusal);
      }
      const states = await limits(caller);
      setRateLimitHeaders(answer, states);
      const over = states.find(({ isOver }) => isOver);
      if (over) throw new GatewayError('quota', limitText(over), { retryAfterS: over.resetS });
    },
  };
}

/** The key in `Authorization: Bearer` (RFC 6750) or `X-API-Key`. */
function givenKey({ authorization = '', apiKey }: Credentials): string | undefined {
  const [, bearer] = /^Bearer +(\S+) *$/i.exec(authorization) ?? [];
  return bearer ?? apiKey;
}

function callerOfKey(keys: readonly Key[], given: string | undefined, rate: Rate | undefined): Caller {
  const unknown = { tenant: '', identity: '' };
  if (given === undefined) {
    return { ...unknown, refusal: 'An API key is needed: Authorization: Bearer KEY, or X-API-Key: KEY.' };
  }
  const key = findKey(keys, given);
  if (!key) return { ...unknown, refusal: 'The API key is not valid.' };
  const caller = {
    tenant: key.name,
    key: key.name,
    identity: `key:${key.name}`,
    rate: key.rate ?? rate,
    quota: key.quota,
  };
  const isExpired = key.expiresMs !== undefined && key.expiresMs <= Date.now();
  return isExpired ? { ...caller, refusal: 'The API key has expired.' } : caller;
}

/** Sets RateLimit and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers-09). */
function setRateLimitHeaders(answer: Headers, states: readonly RateLimitState[]): void {
  if (states.length === 0) return;
  const list = (item: (state: RateLimitState) => string) => states.map(item).join(', ');
  answer.setHeader(
    'RateLimit-Policy',
    list(({ policy, limit, windowS }) => `"${policy}";q=${limit};w=${windowS}`),
  );
  answer.setHeader(
    'RateLimit',
    list(({ policy, remaining, resetS }) => `"${policy}";r=${remaining};t=${resetS}`),
  );
}

function limitText({ policy, limit, windowS, resetS }: RateLimitState): string {
  const window = policy === 'quota' ? 'a day (UTC)' : `${windowS} s`;
  return `The limit is ${limit} requests in ${window}; try again in ${resetS} s.`;
}
