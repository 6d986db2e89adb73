/**
 * 200 photos of the clothing data set give the tensors of Pillow, Keras and TensorFlow. Skipped without the data set.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { readConfig } from '../../gateway/config/read.ts';
import { restrictSharp } from '../../gateway/image/restrict-sharp.ts';
import { EXPECTED, needsDataset, PHOTOS } from '../dataset.ts';
import { sha256 } from './golden.ts';
import { createDecoder, createHasher, createTally } from './run.ts';
import { type Pipeline, specOf } from './spec.ts';

type Photo = {
  readonly path: string;
  readonly decoded: { readonly rgb_sha256: string };
  readonly results: Readonly<
    Record<string, { readonly sha256: string; readonly pillow12?: { readonly sha256: string } }>
  >;
};

const { imageFormats } = readConfig({}, {});

test('C14: 200 photos give the tensors of the Python libraries', needsDataset, async (t) => {
  restrictSharp(imageFormats);
  const { specs, images }: { specs: Pipeline[]; images: Photo[] } = JSON.parse(readFileSync(EXPECTED, 'utf8'));
  const pipelines = specs.filter(({ id }) => !id.startsWith('tf-fast'));
  const hash = createHasher();
  const tally = createTally();
  for (const { path, decoded, results } of images) {
    const decode = createDecoder(readFileSync(new URL(path, PHOTOS)), imageFormats);
    assert.equal(sha256((await decode({ color: 'rgb', engine: 'pillow' })).data), decoded.rgb_sha256, path);
    for (const pipeline of pipelines) {
      const result = results[pipeline.id];
      assert.ok(result, pipeline.id);
      const versions = [
        [13, result.sha256],
        [12, result.pillow12?.sha256],
      ] as const;
      for (const [pillow, expected] of versions) {
        if (expected === undefined) continue;
        const spec = specOf(pipeline, pillow);
        tally.count(`${pipeline.id}, Pillow ${pillow}`, hash(await decode(spec), spec) === expected, path);
      }
    }
  }
  for (const line of tally.lines()) t.diagnostic(line);
  assert.deepEqual(
    tally.lines().filter((line) => line.includes('not: ')),
    [],
  );
});
