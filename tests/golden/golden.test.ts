/** Every image through every pipeline of golden.json gives the bytes of the Python libraries' tensors. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readConfig } from '../../gateway/config/read.ts';
import type { ImageFormat } from '../../gateway/domain/picture.ts';
import { GatewayError, type Kind } from '../../gateway/errors.ts';
import { restrictSharp } from '../../gateway/image/restrict-sharp.ts';
import { loadGolden, type Refusal, type Result, readImage, sha256 } from './golden.ts';
import { createDecoder, createHasher, createTally } from './run.ts';
import { type Pipeline, specOf } from './spec.ts';

const { imageFormats } = readConfig({}, {});
const ALL_FORMATS: readonly ImageFormat[] = [...imageFormats, 'tiff'];
/** Formats that Pillow reads and the gateway refuses as unsupported. */
const NOT_OFFERED = /\.(?:bmp|ico|jp2|ppm)$/;
const RGB = { color: 'rgb', engine: 'pillow' } as const;

/**
 * The error kinds where Pillow refuses a file. To Pillow SVG and PDF are not images; here they are unsupported formats.
 */
const KINDS: Readonly<Record<Refusal, readonly Kind[]>> = {
  not_an_image: ['image_unreadable', 'image_unsupported'],
  corrupt: ['image_unreadable'],
  too_large: ['image_too_large'],
};

const golden = loadGolden();
restrictSharp(ALL_FORMATS);
const hash = createHasher();
const tally = createTally();
const pipelines = new Map<string, Pipeline>(golden.specs.map((spec) => [spec.id, spec]));

function fails(kinds: readonly Kind[]) {
  return (error: unknown) => error instanceof GatewayError && kinds.includes(error.kind);
}

/** The tensor's hash for each Pillow version with its own result in golden.json. */
function hashesOf(result: Result | undefined): [pillow: number, sha256: string][] {
  assert.ok(result && 'sha256' in result, 'an image that decodes has a result for each of its pipelines');
  return result.pillow12
    ? [
        [13, result.sha256],
        [12, result.pillow12],
      ]
    : [[13, result.sha256]];
}

for (const [name, { decoded, results }] of Object.entries(golden.images)) {
  const decode = createDecoder(readImage(name), ALL_FORMATS);

  if ('error' in decoded) {
    test(`${name} is refused, as by Pillow: ${decoded.error}`, async () => {
      await assert.rejects(decode(RGB), fails(KINDS[decoded.error]));
      for (const id of Object.keys(results)) tally.count(id, true, name);
    });
    continue;
  }

  if (NOT_OFFERED.test(name)) {
    test(`${name} is refused as an unsupported format`, () =>
      assert.rejects(decode(RGB), fails(['image_unsupported'])));
    continue;
  }

  test(`${name} gives the same tensors`, async () => {
    assert.equal(sha256((await decode(RGB)).data), decoded.rgb_sha256, 'decoded RGB');
    for (const [id, pipeline] of pipelines) {
      if (!results[id]) continue;
      for (const [pillow, expected] of hashesOf(results[id])) {
        const spec = specOf(pipeline, pillow);
        const exact = hash(await decode(spec), spec) === expected;
        tally.count(pillow === 12 ? `${id} (Pillow 12)` : id, exact, name);
        assert.ok(exact, `${id}, Pillow ${pillow}`);
      }
    }
  });
}

for (const name of Object.keys(golden.images).filter((file) => file.endsWith('.tif'))) {
  test(`${name} is refused unless IMAGE_FORMATS has tiff`, async () => {
    await assert.rejects(createDecoder(readImage(name), imageFormats)(RGB), fails(['image_unsupported']));
  });
}

test('every pipeline was run', (t) => {
  const lines = tally.lines();
  for (const line of lines) t.diagnostic(line);
  t.diagnostic('not tested: TensorFlow with dct_method INTEGER_FAST, its default, which no decoder here implements');
  const missing = golden.specs.filter(({ id }) => !lines.some((line) => line.startsWith(`${id}: `)));
  assert.deepEqual(missing, []);
});
