import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ImageSpec, Instance } from '../domain/picture.ts';
import type { RequestContext } from '../domain/request.ts';
import { seenPixels } from './seen-pixels.ts';

const SPEC: ImageSpec = {
  size: [1, 4],
  engine: 'tensorflow',
  resize: 'bilinear',
  antialias: false,
  fit: 'stretch',
  scale: 'torch',
  color: 'grayscale',
  layout: 'NCHW',
  pillow: 13,
};
const INSTANCE: Instance = { kind: 'bytes', bytes: new Uint8Array([1]), field: 'body' };

/** Asks with a decoder that gives these samples. `specs`: those that it was asked with. */
async function see(samples: readonly number[], image: unknown = SPEC) {
  const specs: ImageSpec[] = [];
  const stages = {
    ownAdmission: () => undefined,
    admission: { admit: (_context: unknown, _images: number, run: (atOnce: number) => unknown) => run(1) },
    fetchedBytes: { open: () => ({ bytes: 0, take: () => true, release: () => undefined }) },
    maxFetchedBytes: 1,
    async fillRow({ spec }: { spec: ImageSpec }, rows: { fill(write: (row: Float32Array) => boolean): void }) {
      specs.push(spec);
      rows.fill((row) => {
        row.set(samples);
        return true;
      });
      return 'sharp';
    },
  } as unknown as Parameters<typeof seenPixels>[0];
  const context = { signal: AbortSignal.timeout(10_000), time: (_stage: string, work: () => unknown) => work() };
  const model = { routed: { card: { name: 'gray', image } } } as unknown as Parameters<typeof seenPixels>[1];
  return { specs, pixels: await seenPixels(stages, model, INSTANCE, context as unknown as RequestContext) };
}

test('samples are not scaled, are rounded, and stay from 0 to 255', async () => {
  const { specs, pixels } = await see([-3.5, 1.6, 254.7, 70_000]);
  assert.deepEqual(pixels, { width: 4, height: 1, channels: 1, data: Uint8Array.of(0, 2, 255, 255) });
  const [asked] = specs;
  assert.deepEqual(asked, { ...SPEC, scale: 'none', layout: 'NHWC' });
  assert.equal((await see([0, 0, 0, 0])).specs[0], asked, 'one spec for each model: decoders keep tables by it');
});

test('a model that decodes pictures itself has no pixels to show', async () => {
  await assert.rejects(see([], { encoded: true }), {
    kind: 'unsupported_media',
    message: /gray decodes pictures itself/,
  });
});
