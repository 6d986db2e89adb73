/** The statistics of pictures are those that training's code gives: serving/training/tests/test_statistics.py has the same file. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { readConfig } from '../../gateway/config/read.ts';
import { createNormaliser } from '../../gateway/image/normalise.ts';
import { createResampler } from '../../gateway/image/resample.ts';
import { restrictSharp } from '../../gateway/image/restrict-sharp.ts';
import { createMeasure } from '../../gateway/image/statistics.ts';
import { testSpec } from '../../gateway/image/test-spec.ts';
import { readImage } from './golden.ts';
import { createDecoder } from './run.ts';

const { imageFormats } = readConfig({}, {});

test("the golden images have the statistics of training's code", async () => {
  restrictSharp(imageFormats);
  const expected: Record<string, object> = JSON.parse(
    readFileSync(new URL('statistics.json', import.meta.url), 'utf8'),
  );
  const spec = testSpec();
  const resample = createResampler(spec);
  const normalise = createNormaliser(spec);
  const measure = createMeasure();
  const row = new Float32Array(299 * 299 * 3);
  for (const [file, statistics] of Object.entries(expected)) {
    normalise(resample(await createDecoder(readImage(file), imageFormats)(spec)), row);
    assert.deepEqual(measure(row, 'DT_FLOAT', spec), statistics, file);
  }
  assert.ok(Object.keys(expected).length > 50);
});
