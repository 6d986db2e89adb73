/** Reads a JPEG's frame header (ITU-T T.81, B.2.2) and looks for Adobe's marker. */
import {
  type Count,
  countFillers,
  countParts,
  type HeaderReader,
  header,
  type ImageHeader,
  PLAIN,
  type Samples,
  text,
} from './header.ts';

const START_OF_SCAN = 0xda;
const END_OF_IMAGE = 0xd9;
const APP14 = 0xee;
const FILL = 0xff;

/**
 * Walks the markers to the frame header; with four components on to the scan, since Adobe's marker may follow. Bytes
 * between two segments are skipped, as by libjpeg (jdmarker.c, `next_marker`) and Pillow.
 */
export const readJpeg: HeaderReader = (bytes) => {
  let offset = 2;
  let adobe = false;
  let frame: ImageHeader | undefined;
  const [count, countFiller] = [countParts(), countFillers()];
  while (true) {
    count();
    offset = nextMarker(bytes, offset, countFiller);
    const marker = bytes.getUint8(offset);
    offset += 1;
    if (isBare(marker)) continue;
    if (marker === START_OF_SCAN || marker === END_OF_IMAGE) return frame && withAdobe(frame, adobe);
    if (isFrame(marker)) {
      frame = readFrame(bytes, offset);
      if (frame?.samples?.kind !== 'cmyk') return frame;
    }
    if (marker === APP14 && text(bytes, offset + 2, 5) === 'Adobe') adobe = true;
    offset += bytes.getUint16(offset);
  }
};

/**
 * The offset of the next marker's code: the first byte after 0xff that is neither 0xff (fill) nor 0 (data). Counts the
 * bytes before it.
 */
function nextMarker(bytes: DataView, offset: number, count: Count): number {
  for (let at = offset; ; at += 1) {
    count();
    if (bytes.getUint8(at) === FILL && bytes.getUint8(at + 1) !== FILL && bytes.getUint8(at + 1) !== 0) return at + 1;
  }
}

/** Markers without a length: TEM, RST0-7, SOI. */
function isBare(marker: number): boolean {
  return marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8);
}

/** SOF0 to SOF15, without the codes between them that are no frame headers (DHT, JPG, DAC). */
function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

/** `offset`: of the segment's length. */
function readFrame(bytes: DataView, offset: number): ImageHeader | undefined {
  const precision = bytes.getUint8(offset + 2);
  const components = bytes.getUint8(offset + 7);
  const samples = precision === 8 ? samplesOf(components) : undefined;
  return header(bytes.getUint16(offset + 5), bytes.getUint16(offset + 3), samples);
}

function samplesOf(components: number): Samples | undefined {
  if (components === 4) return { kind: 'cmyk', adobe: false };
  return components === 1 || components === 3 ? PLAIN : undefined;
}

function withAdobe(frame: ImageHeader, adobe: boolean): ImageHeader {
  return { ...frame, samples: { kind: 'cmyk', adobe } };
}
