/** Restricts sharp to the loaders and threads that this service uses. */
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
 * Blocks every loader of libvips but those that read the given formats from memory: no SVG, PDF or file can be opened.
 * Also turns the cache off and gives each picture one thread. The settings hold for the whole process: call it once, at
 * the start.
 */
export function restrictSharp(formats: readonly ImageFormat[]): void {
  sharp.cache(false);
  sharp.concurrency(1);
  sharp.block({ operation: ['VipsForeignLoad'] });
  sharp.unblock({ operation: formats.map((format) => LOADERS[format]) });
}
