/** Loads golden.json: the results of Pillow, Keras, keras_image_helper and TensorFlow for the images in images/. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { NamedScale } from '../../gateway/domain/picture.ts';
import type { Pipeline } from './spec.ts';

/** Why Pillow refuses a file. */
export type Refusal = 'not_an_image' | 'corrupt' | 'too_large';

/**
 * The SHA-256 of a tensor's float32 bytes. `pillow12` is set if the pass order up to Pillow 12 gives another tensor.
 */
export type Result = { readonly sha256: string; readonly pillow12?: string } | { readonly error: Refusal };

export type GoldenImage = {
  readonly decoded: { readonly rgb_sha256: string } | { readonly error: Refusal };
  readonly results: Readonly<Record<string, Result>>;
};

type Table = { readonly in: number; readonly out: number };

export type Golden = {
  readonly specs: readonly (Pipeline & { readonly normalize?: NamedScale })[];
  readonly luts: Readonly<Record<NamedScale, string>>;
  readonly nearest_indices: readonly (Table & { readonly sha256_u16le: string })[];
  readonly coefficients: readonly (Table & { readonly filter: string; readonly sha256: string })[];
  readonly images: Readonly<Record<string, GoldenImage>>;
};

export function loadGolden(): Golden {
  return JSON.parse(readFileSync(new URL('golden.json', import.meta.url), 'utf8'));
}

export function readImage(name: string): Buffer {
  return readFileSync(new URL(`images/${name}`, import.meta.url));
}

export function sha256(data: ArrayBufferView): string {
  return createHash('sha256')
    .update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    .digest('hex');
}
