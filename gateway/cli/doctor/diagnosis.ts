/** One URL taken through the gateway's own fetch and decoder, every step written down. */
import { fetchOptions, judged } from '../../app.ts';
import type { Config } from '../../config.ts';
import { openContext } from '../../domain/context.ts';
import { asGatewayError } from '../../errors.ts';
import { createGuard } from '../../fetch/guard.ts';
import { createFetch } from '../../fetch/http.ts';
import { decode } from '../../image/decode.ts';
import { restrictSharp } from '../../image/restrict.ts';
import { sniff } from '../../image/sniff.ts';
import { createLog } from '../../observe/log.ts';
import { bytesOf } from '../../pipeline/fill.ts';
import { type Hop, startTrail } from './trail.ts';

type Download = { readonly bytes: number; readonly durationMs: number };
/** What the bytes are by their header; without a size where the format cannot be decoded or the header is damaged. */
type Picture = { readonly format: string; readonly width?: number; readonly height?: number };
/** What a client would read, and the reason that the log would have. */
type Failure = { readonly status: number; readonly kind: string; readonly detail: string; readonly reason: string };

export type Diagnosis = {
  readonly hops: readonly Hop[];
  readonly download?: Download;
  readonly picture?: Picture;
  /** Why a prediction does not get the picture; absent where it does. */
  readonly failure?: Failure;
};

/** Fetches and decodes once, as a prediction would, in this process. Throws ConfigError for settings that are wrong. */
export async function diagnose(url: string, config: Config): Promise<Diagnosis> {
  const options = fetchOptions(config);
  const trail = startTrail(judged(() => createGuard(options)));
  const fetch = createFetch({ ...options, watch: trail.watch });
  const context = openContext({
    id: 'doctor',
    tenant: 'doctor',
    timeoutMs: config.requestTimeoutMs,
    log: createLog('silent', process.stdout),
  });
  const { imageFormats: formats, maxImagePixels: maxPixels } = config;
  restrictSharp(formats);
  const found: { download?: Download; picture?: Picture } = {};
  try {
    const startedMs = performance.now();
    const line = {
      async fetch(...asked: Parameters<typeof fetch>) {
        const bytes = await fetch(...asked);
        found.download = { bytes: bytes.length, durationMs: Math.round(performance.now() - startedMs) };
        return bytes;
      },
    };
    const bytes = await bytesOf(line, { kind: 'url', url, field: 'url' }, context);
    found.picture = pictureOf(bytes);
    await decode(bytes, { field: 'url', formats, maxPixels, color: 'rgb', engine: 'pillow' });
    return { hops: trail.hops, ...found };
  } catch (thrown) {
    return { hops: trail.hops, ...found, failure: failureOf(thrown) };
  } finally {
    context.end();
    fetch.close();
  }
}

function pictureOf(bytes: Uint8Array): Picture {
  const sniffed = sniff(bytes);
  if (!sniffed) return { format: 'unknown' };
  const { width, height } = ('header' in sniffed && sniffed.header) || {};
  return { format: sniffed.format, ...(width !== undefined && height !== undefined && { width, height }) };
}

function failureOf(thrown: unknown): Failure {
  const { status, kind, message: detail, cause } = asGatewayError(thrown);
  return { status, kind, detail, reason: cause instanceof Error ? cause.message : '' };
}
