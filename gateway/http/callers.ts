/** Who is asking, and whether they may now: API keys and limits. */
import type { Request, Response } from 'express';
import ipaddr from 'ipaddr.js';
import { findKey, type Key } from '../access/keys.ts';
import type { Rate } from '../access/rate.ts';
import type { RateLimitState, RateLimits } from '../access/rate-limits.ts';
import { GatewayError } from '../errors.ts';

export type Caller = {
  /** The name of the key; `anonymous` without one. */
  readonly tenant: string;
  /** The name of the key that was given, for the log. */
  readonly key?: string;
  /** What rate limits count by: `key:NAME` or `address:ADDRESS`. Empty if nothing is counted. */
  readonly identity: string;
  readonly rate?: Rate | undefined;
  readonly quota?: number | undefined;
  readonly refusal?: string;
};

export type Callers = {
  identify(request: Request): Caller;
  /** Tells the caller where they stand. Throws `unauthenticated` and `quota`. */
  admit(caller: Caller, response: Response): Promise<void>;
};

export type CallersOptions = {
  /** The keys in force; undefined where anybody may ask. */
  readonly keys: () => readonly Key[] | undefined;
  /** The limit of those whose key has none of its own. */
  readonly rate: Rate | undefined;
  readonly limits: RateLimits;
};

const ANONYMOUS = 'anonymous';
/** One IPv6 customer has a network of at least 64 bits, so that many addresses: four parts of 16 bits name the network. */
const IPV6_CUSTOMER_PARTS = 4;

/** Makes what stands before every handler. */
export function createCallers({ keys, rate, limits }: CallersOptions): Callers {
  return {
    identify(request) {
      const known = keys();
      if (!known) return { tenant: ANONYMOUS, identity: rate ? `address:${customer(request.ip ?? '')}` : '', rate };
      return withKey(known, givenKey(request), rate);
    },
    async admit({ refusal, ...caller }, response) {
      if (refusal !== undefined) {
        response.setHeader('WWW-Authenticate', 'Bearer realm="tensorgate"');
        throw new GatewayError('unauthenticated', refusal);
      }
      const states = await limits(caller);
      tell(response, states);
      const over = states.find(({ isOver }) => isOver);
      if (over) throw new GatewayError('quota', overText(over), { retryAfterS: over.resetS });
    },
  };
}

/** RFC 6750's `Authorization: Bearer`, or the header that tools without it know. */
function givenKey(request: Request): string | undefined {
  const [, bearer] = /^Bearer +(\S+) *$/i.exec(request.get('authorization') ?? '') ?? [];
  return bearer ?? request.get('x-api-key');
}

function withKey(known: readonly Key[], given: string | undefined, rate: Rate | undefined): Caller {
  const nobody = { tenant: ANONYMOUS, identity: '' };
  if (given === undefined) {
    return { ...nobody, refusal: 'An API key is needed: Authorization: Bearer KEY, or X-API-Key: KEY.' };
  }
  const key = findKey(known, given);
  if (!key) return { ...nobody, refusal: 'The API key is not valid.' };
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

/** An IPv4 address, in whichever form, or the /64 of an IPv6 one. */
function customer(address: string): string {
  if (!ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  return parsed instanceof ipaddr.IPv6 ? parsed.parts.slice(0, IPV6_CUSTOMER_PARTS).join(':') : parsed.toString();
}

/** RateLimit and RateLimit-Policy as draft-ietf-httpapi-ratelimit-headers-09 has them. */
function tell(response: Response, states: readonly RateLimitState[]): void {
  if (states.length === 0) return;
  const list = (item: (state: RateLimitState) => string) => states.map(item).join(', ');
  response.setHeader(
    'RateLimit-Policy',
    list(({ policy, limit, windowS }) => `"${policy}";q=${limit};w=${windowS}`),
  );
  response.setHeader(
    'RateLimit',
    list(({ policy, remaining, resetS }) => `"${policy}";r=${remaining};t=${resetS}`),
  );
}

function overText({ policy, limit, windowS, resetS }: RateLimitState): string {
  const window = policy === 'quota' ? 'a day (UTC)' : `${windowS} s`;
  return `The limit is ${limit} requests in ${window}; try again in ${resetS} s.`;
}
