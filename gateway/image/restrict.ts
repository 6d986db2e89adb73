/** Narrows sharp to what this service uses of it. */
import sharp from 'sharp';
import type { ImageFormat } from '../domain/picture.ts';

const LOADERS: Readonly<Record<ImageFormat, string>> = {
  jpeg: 'VipsForeignLoadJpegBuffer',
  png: 'VipsForeignLoadPngBuffer',
  webp: 'VipsForeignLoadWebpBuffer',
  gif: 'VipsForeignLoadNsgifBuffer',
  avif: 'VipsForeignLoadHeifBuffer',
  tiff: 'VipsForeignLoadTiffBuffer',
};

/**
 * Blocks every loader of libvips but the given formats' from memory, so that no SVG, PDF or file can be opened whatever
 * the bytes say; switches its cache off and gives each picture one thread. sharp is one for the whole process: the
 * composition root calls this once.
 */
export function restrictSharp(formats: readonly ImageFormat[]): void {
  sharp.cache(false);
  sharp.concurrency(1);
  sharp.block({ operation: ['VipsForeignLoad'] });
  sharp.unblock({ operation: formats.map((format) => LOADERS[format]) });
}
