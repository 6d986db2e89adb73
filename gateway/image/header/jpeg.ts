/** Reads a JPEG's frame header (ITU-T T.81, B.2.2) and looks for Adobe's marker. */
import { type HeaderReader, header, type ImageHeader, MAX_STEPS, PLAIN, type Samples, text } from './header.ts';

const START_OF_SCAN = 0xda;
const END_OF_IMAGE = 0xd9;
const APP14 = 0xee;

/** Walks the markers to the frame header; with four components on to the scan, since Adobe's marker may follow. */
export const readJpeg: HeaderReader = (bytes) => {
  let offset = 2;
  let adobe = false;
  let frame: ImageHeader | undefined;
  for (let step = 0; step < MAX_STEPS; step++) {
    if (bytes.getUint8(offset) !== 0xff) return undefined;
    const marker = bytes.getUint8(offset + 1);
    if (marker === 0xff || isBare(marker)) {
      offset += marker === 0xff ? 1 : 2;
      continue;
    }
    if (marker === START_OF_SCAN || marker === END_OF_IMAGE) return frame && withAdobe(frame, adobe);
    if (isFrame(marker)) {
      frame = readFrame(bytes, offset);
      if (frame?.samples?.kind !== 'cmyk') return frame;
    }
    if (marker === APP14 && text(bytes, offset + 4, 5) === 'Adobe') adobe = true;
    offset += 2 + bytes.getUint16(offset + 2);
  }
  return undefined;
};

/** Markers without a length: TEM, RST0-7, SOI. */
function isBare(marker: number): boolean {
  return marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8);
}

/** SOF0 to SOF15, without the codes between them that are no frame headers (DHT, JPG, DAC). */
function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

function readFrame(bytes: DataView, offset: number): ImageHeader | undefined {
  const precision = bytes.getUint8(offset + 4);
  const components = bytes.getUint8(offset + 9);
  const samples = precision === 8 ? samplesOf(components) : undefined;
  return header(bytes.getUint16(offset + 7), bytes.getUint16(offset + 5), samples);
}

function samplesOf(components: number): Samples | undefined {
  if (components === 4) return { kind: 'cmyk', adobe: false };
  return components === 1 || components === 3 ? PLAIN : undefined;
}

function withAdobe(frame: ImageHeader, adobe: boolean): ImageHeader {
  return { ...frame, samples: { kind: 'cmyk', adobe } };
}
