/** The hops of one fetch, each with what the guard found and what came back. */
import type { FetchWatch } from '../../fetch/dial.ts';
import type { Finding } from '../../fetch/finding.ts';
import type { Guard } from '../../fetch/guard.ts';
import { hostOf, portOf, redactUrl } from '../../fetch/source-url.ts';

type JudgedAddress = { readonly address: string; readonly rules: readonly Finding[] };
type Head = { readonly status: number; readonly contentType: string; readonly location?: string };

/** One URL: the one given, or where a redirect led. */
export type Hop = {
  /** As it was parsed, without its query. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** The rules on the URL, up to the first that refused. */
  readonly rules: readonly Finding[];
  /** Every address of its host; none where no lookup came about. */
  addresses: readonly JudgedAddress[];
  answer?: Head;
};

export type Trail = { readonly hops: readonly Hop[]; readonly watch: FetchWatch };

/** Starts a trail for the fetch that is given its `watch`. Every finding is the guard's own. */
export function startTrail(guard: Guard): Trail {
  const hops: Hop[] = [];
  return {
    hops,
    watch: {
      asked(url) {
        const rules = upToRefusal(guard.judgeUrl(url));
        hops.push({ url: redactUrl(url), host: hostOf(url), port: portOf(url), rules, addresses: [] });
      },
      resolved(addresses, url) {
        const hop = hops.at(-1);
        if (hop)
          hop.addresses = addresses.map((address) => ({ address, rules: [...guard.judgeAddress(address, url)] }));
      },
      answered({ statusCode: status = 0, headers: { location, 'content-type': contentType = '' } }) {
        const hop = hops.at(-1);
        if (hop) hop.answer = { status, contentType, ...(location !== undefined && { location }) };
      },
    },
  };
}

function upToRefusal(findings: Iterable<Finding>): Finding[] {
  const found = [...findings];
  const refusal = found.findIndex(({ refused }) => refused);
  return refusal < 0 ? found : found.slice(0, refusal + 1);
}
