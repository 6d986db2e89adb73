/** Child process of images.ts: decodes the mutants it is sent and reports a verdict for each. */
import assert from 'node:assert/strict';
import type { ImageFormat } from '../../gateway/domain/picture.ts';
import { decode } from '../../gateway/image/decode.ts';
import { restrictSharp } from '../../gateway/image/restrict-sharp.ts';
import { type Case, mutantOf, type Verdict } from './images.ts';
import { checkRefusal } from './refusal.ts';

const FORMATS: readonly ImageFormat[] = ['jpeg', 'png', 'webp', 'gif', 'avif', 'tiff'];
const KINDS = ['image_unreadable', 'image_unsupported', 'image_too_large'] as const;
/** Small, to spend the time on many mutants instead of large pictures. */
const MAX_PIXELS = 2e6;
const MAX_MS = 10_000;

async function check(mutant: Case): Promise<void> {
  const startedMs = performance.now();
  const options = {
    field: 'b64',
    formats: FORMATS,
    maxPixels: MAX_PIXELS,
    maxBytes: 10e6,
    color: 'rgb',
    engine: 'pillow',
  } as const;
  try {
    const { width, height, channels, data } = await decode(mutantOf(mutant), options);
    assert.equal(data.length, width * height * channels);
    assert.ok(width * height <= MAX_PIXELS, `${width} x ${height} pixels`);
  } catch (error) {
    checkRefusal(error, KINDS);
  }
  const tookMs = performance.now() - startedMs;
  assert.ok(tookMs < MAX_MS, `took ${tookMs} ms`);
}

restrictSharp(FORMATS);
process.on('message', async (mutant: Case) => {
  const wrong = await check(mutant).then(
    () => null,
    (error) => String(error.stack ?? error),
  );
  process.send?.({ wrong } satisfies Verdict);
});
