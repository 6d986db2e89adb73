/** Reads the picture of an AVIF file: the primary item of its meta box, or the first frame of its first track. */
import { type Av1Sequence, type Colour, readSequence } from './av1.ts';
import { findPicture } from './avif-picture.ts';
import { type HeaderReader, header, type Samples } from './header.ts';

/** H.273: RGB stored as G, B, R; BT.709; unspecified, which libavif reads as BT.601; BT.601 twice; BT.2020. */
const IDENTITY = 0;
const MATRICES: readonly number[] = [1, 2, 5, 6, 9];

/**
 * The size is that of AV1's own sequence header: it bounds what the decoder allocates. A file that declares another size
 * is not decoded, libavif would scale it.
 */
export const readAvif: HeaderReader = (bytes) => {
  const picture = findPicture(bytes);
  if (picture === undefined) return undefined;
  if (picture === 'unsupported') return header(1, 1, undefined);
  const [first] = picture.extents;
  const sequence = first && readSequence(bytes, first.start, first.end);
  if (!sequence) return undefined;
  const declared = picture.width === sequence.width && picture.height === sequence.height;
  return header(
    sequence.width,
    sequence.height,
    declared ? samplesOf(sequence, picture.colour ?? sequence) : undefined,
  );
};

/** Undefined for a conversion that libavif does in another way than in ycbcr.ts. */
function samplesOf(sequence: Av1Sequence, { matrix, isFullRange }: Colour): Samples | undefined {
  const { depth, isGray, isHalfWide, isHalfHigh } = sequence;
  const isRgb = matrix === IDENTITY && isFullRange && !isGray && !isHalfWide && depth === 8;
  if (!isRgb && !isGray && !MATRICES.includes(matrix)) return undefined;
  return { kind: 'ycbcr', depth, isGray, isHalfWide, isHalfHigh, matrix, isFullRange };
}
