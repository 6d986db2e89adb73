/** Records the hops of one fetch, each with the guard's findings and the response. */
import { isBucketUrl } from '../../fetch/bucket/url.ts';
import type { FetchWatch } from '../../fetch/dial.ts';
import type { Finding } from '../../fetch/finding.ts';
import type { Guard } from '../../fetch/guard.ts';
import { hostOf, portOf, redactUrl } from '../../fetch/source-url.ts';

type CheckedAddress = { readonly address: string; readonly rules: readonly Finding[] };
type ResponseHead = { readonly status: number; readonly contentType: string; readonly location?: string };

/** One requested URL: the one given, or the target of a redirect. */
export type Hop = {
  /** The parsed URL, without its query. */
  readonly url: string;
  /** The host, or the bucket of a `gs://` or `s3://` URL, which has no port. */
  readonly host: string;
  readonly port?: number;
  /** The findings on the URL, up to the first refusal. */
  readonly rules: readonly Finding[];
  /** Every address of the host, empty if it was not resolved. */
  addresses: readonly CheckedAddress[];
  answer?: ResponseHead;
};

export type HopRecorder = { readonly hops: readonly Hop[]; readonly watch: FetchWatch };

/** Creates a recorder. Its `watch` belongs into the options of one fetch. Every finding comes from `guard`. */
export function createHopRecorder(guard: Guard): HopRecorder {
  const hops: Hop[] = [];
  return {
    hops,
    watch: {
      asked(url) {
        const rules = upToRefusal(guard.judgeUrl(url));
        const port = isBucketUrl(url) ? {} : { port: portOf(url) };
        hops.push({ url: redactUrl(url), host: hostOf(url), ...port, rules, addresses: [] });
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
