/** Takes one URL through the gateway's own fetch and decoder and records every step. */
import type { Config } from '../../config/schema.ts';
import { openContext } from '../../domain/context.ts';
import { newTrace } from '../../domain/trace.ts';
import { NOTHING_SENT } from '../../domain/traffic.ts';
import { asGatewayError } from '../../errors.ts';
import { createGuard } from '../../fetch/guard.ts';
import { createFetch } from '../../fetch/http.ts';
import { decode } from '../../image/decode.ts';
import { restrictSharp } from '../../image/restrict-sharp.ts';
import { sniff } from '../../image/sniff.ts';
import { createLog } from '../../observe/log.ts';
import { readImage } from '../../pipeline/read-images.ts';
import { checked, fetchOptions } from '../../wiring/settings.ts';
import { createHopRecorder, type Hop } from './hops.ts';

type Download = { readonly bytes: number; readonly durationMs: number };
/** Format and size by the header; no size if the format is not supported or the header is damaged. */
type Picture = { readonly format: string; readonly width?: number; readonly height?: number };
/** The error that a client would get, and the reason that would be logged. */
type Failure = { readonly status: number; readonly kind: string; readonly detail: string; readonly reason: string };

export type Diagnosis = {
  readonly hops: readonly Hop[];
  readonly download?: Download;
  readonly picture?: Picture;
  /** Why a prediction cannot use the picture. Absent if it can. */
  readonly failure?: Failure;
};

/**
 * Fetches and decodes the picture once, as a prediction would, in this process. Throws ConfigError for invalid
 * settings.
 */
export async function diagnose(url: string, config: Config): Promise<Diagnosis> {
  const options = fetchOptions(config);
  const recorder = createHopRecorder(checked(() => createGuard(options)));
  const fetch = createFetch({ ...options, watch: recorder.watch });
  const context = openContext({
    id: 'doctor',
    trace: newTrace(),
    route: 'doctor',
    sent: NOTHING_SENT,
    tenant: 'doctor',
    timeoutMs: config.requestTimeoutMs,
    log: createLog('silent', process.stdout),
  });
  const { imageFormats: formats, maxImagePixels: maxPixels, maxImageBytes: maxBytes } = config;
  restrictSharp(formats);
  const found: { download?: Download; picture?: Picture } = {};
  try {
    const startedMs = performance.now();
    const timedFetch = async (...args: Parameters<typeof fetch>) => {
      const bytes = await fetch(...args);
      found.download = { bytes: bytes.length, durationMs: Math.round(performance.now() - startedMs) };
      return bytes;
    };
    const bytes = await readImage(timedFetch, { kind: 'url', url, field: 'url' }, context, () => {});
    found.picture = pictureOf(bytes);
    await decode(bytes, { field: 'url', formats, maxPixels, maxBytes, color: 'rgb', engine: 'pillow' });
    return { hops: recorder.hops, ...found };
  } catch (thrown) {
    return { hops: recorder.hops, ...found, failure: failureOf(thrown) };
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
