/** The first stage: the encoded image of each instance, fetched where it is a URL. */
import type { Instance } from '../domain/picture.ts';
import type { RequestContext } from '../domain/request.ts';
import { GatewayError } from '../errors.ts';
import { sniff } from '../image/sniff.ts';
import type { ByteShare } from '../machine/byte-budget.ts';
import { forEachInstance, type Outcomes } from './outcomes.ts';
import type { Fetch, Stages } from './stages.ts';

/** Images of one request that are fetched at once. */
const FETCHES_AT_ONCE = 8;

type ReadStages = Pick<Stages, 'admission' | 'fetch' | 'maxFetchedBytes'>;

/**
 * Reads all images of a request. Those with URLs are fetched before the request is admitted, so waiting for a source takes
 * no room from other requests. What has arrived counts against `share`. If the request loses its place to another one, the
 * images that have not arrived fail with `overloaded`.
 */
export async function readImages(
  stages: ReadStages,
  instances: readonly Instance[],
  share: ByteShare,
  context: RequestContext,
): Promise<Outcomes<Uint8Array>> {
  const read = (signal: AbortSignal) => {
    const fetch: Fetch = (url, field, _context, onBytes) => stages.fetch(url, field, { signal }, onBytes);
    return forEachInstance(instances, FETCHES_AT_ONCE, context, (instance) =>
      readImage(fetch, instance, context, countBytes(stages.maxFetchedBytes, share)),
    );
  };
  const hosts = hostsOf(instances);
  return hosts.size === 0 ? read(context.signal) : stages.admission.whileFetching(context, hosts, read);
}

/** An instance's encoded image. Throws what `fetch` throws, and `source_not_image`. */
export async function readImage(
  fetch: Fetch,
  instance: Instance,
  context: RequestContext,
  onBytes?: (count: number) => GatewayError | undefined,
): Promise<Uint8Array> {
  if (instance.kind !== 'url') return instance.bytes;
  const bytes = await context.time('fetch', async (span) => {
    span?.setAttributes({ 'tensorgate.field': instance.field, 'server.address': hostOf(instance.url) });
    const fetched = await fetch(instance.url, instance.field, context, onBytes);
    span?.setAttributes({ 'tensorgate.bytes': fetched.length });
    return fetched;
  });
  if (sniff(bytes)) return bytes;
  throw new GatewayError('source_not_image', `${instance.field}: what the source sent is not an image`);
}

/** Counts an image's bytes as they arrive. Its errors: the request, or all requests together, hold too many. */
function countBytes(maxBytes: number, share: ByteShare): (count: number) => GatewayError | undefined {
  return (count) => {
    if (share.bytes + count > maxBytes) {
      const detail = `the images of this request are larger than ${maxBytes} bytes together; send fewer at once`;
      return new GatewayError('source_too_large', detail);
    }
    if (share.take(count)) return undefined;
    const detail = 'the gateway holds as many bytes of images as it can; try again later';
    return new GatewayError('overloaded', detail, { isUnavailable: true });
  };
}

function hostsOf(instances: readonly Instance[]): ReadonlySet<string> {
  return new Set(instances.flatMap((instance) => (instance.kind === 'url' ? [hostOf(instance.url)] : [])));
}

function hostOf(url: string): string {
  return URL.parse(url.trim())?.host ?? '';
}
