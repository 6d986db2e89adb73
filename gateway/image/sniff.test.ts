import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { sniff } from './sniff.ts';

const IMAGES = new URL('../../tests/golden/images/', import.meta.url);
const read = (name: string) => readFileSync(new URL(name, IMAGES));
const latin1 = (text: string) => Buffer.from(text, 'latin1');

function pngHeader(width: number, height: number, depth = 8, colourType = 2): Buffer {
  const ihdr = Buffer.from('IHDR\0\0\0\0\0\0\0\0\0\0\0\0\0', 'latin1');
  ihdr.writeUInt32BE(width, 4);
  ihdr.writeUInt32BE(height, 8);
  ihdr.set([depth, colourType], 12);
  const ends = Buffer.alloc(8);
  ends.writeUInt32BE(13);
  ends.writeUInt32BE(crc32(ihdr), 4);
  return Buffer.concat([latin1('\x89PNG\r\n\x1a\n'), ends.subarray(0, 4), ihdr, ends.subarray(4)]);
}

/** Start of image, segments, then a frame header of 300 x 200 with `components` components of `precision` bits. */
function jpeg(segments: Buffer, { precision = 8, components = 3 } = {}): Buffer {
  const frame = Buffer.from([0xff, 0xc0, 0, 8 + 3 * components, precision, 0, 200, 1, 44, components]);
  return Buffer.concat([latin1('\xff\xd8'), segments, frame, Buffer.alloc(3 * components)]);
}

const APP1 = latin1('\xff\xe1\0\x06Exif');
const ADOBE = latin1('\xff\xee\0\x0eAdobe\0\x64\0\0\0\0\x02');
const SCAN = latin1('\xff\xda\0\x02');

describe('the format is detected from the first bytes', () => {
  const rows: [string, Uint8Array][] = [
    ['svg', latin1('<svg xmlns="http://www.w3.org/2000/svg"/>')],
    ['svg', latin1('\xef\xbb\xbf  <?xml version="1.0"?>\n<!-- drawn -->\n<svg width="1">')],
    ['svg', latin1('<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "x.dtd" [<!ENTITY a "b">]><svg>')],
    ['bmp', latin1('BM\x46\0\0\0\0\0\0\0\x36\0\0\0')],
    ['ico', latin1('\0\0\x01\0\x01\0')],
    ['ico', latin1('\0\0\x02\0\x01\0')],
    ['jp2', latin1('\0\0\0\x0cjP  \r\n\x87\n')],
    ['jp2', latin1('\xff\x4f\xff\x51')],
    ['jxl', latin1('\xff\x0a')],
    ['pdf', latin1('%PDF-1.7')],
    ['psd', latin1('8BPS\0\x01')],
    ['ppm', latin1('P6\n60 40\n255\n')],
    ['heif', latin1('\0\0\0\x18ftypheic\0\0\0\0mif1heic')],
    ['heif', latin1('\0\0\0\x18ftypmif1\0\0\0\0mif1heic')],
    ['avif', latin1('\0\0\0\x1cftypmif1\0\0\0\0mif1miafavif')],
    ['mp4', latin1('\0\0\0\x18ftypisom\0\0\0\0isommp42')],
    ['webm', latin1('\x1a\x45\xdf\xa3')],
    ['avi', latin1('RIFF\0\0\0\0AVI ')],
    ['bigtiff', latin1('II+\0\x08\0\0\0')],
  ];
  for (const [format, bytes] of rows) {
    test(`${format}: ${JSON.stringify(bytes.toString().slice(0, 24))}`, () =>
      assert.equal(sniff(bytes)?.format, format));
  }

  const nothing = [
    '',
    '\xff',
    'hello',
    '{"error":"x"}',
    '<!DOCTYPE html><html><body><svg></svg>',
    'PK\x03\x04',
    'P6',
    'BM',
  ];
  for (const text of nothing) {
    test(`not an image: ${JSON.stringify(text)}`, () => assert.equal(sniff(latin1(text)), undefined));
  }
});

describe('the header gives the declared size and the kind of samples', () => {
  const rows: [string, number, number, string | undefined][] = [
    ['jpg-420.jpg', 400, 533, 'plain'],
    ['jpg-gray.jpg', 192, 156, 'plain'],
    ['jpg-cmyk.jpg', 137, 127, 'cmyk'],
    ['jpg-ok-leading-ff-fill.jpg', 204, 172, 'plain'],
    ['bomb-jpg-65500x65500-declared.jpg', 65500, 65500, 'plain'],
    ['png-rgba8.png', 130, 89, 'plain'],
    ['png-la16.png', 130, 89, 'plain'],
    ['png-l16.png', 130, 89, 'gray16'],
    ['bomb-png-30000x30000-1bit-real.png', 30000, 30000, 'plain'],
    ['webp-lossy.webp', 228, 174, 'plain'],
    ['webp-lossless.webp', 80, 60, 'plain'],
    ['webp-animated-alpha.webp', 60, 40, 'plain'],
    ['bomb-webp-16384-declared.webp', 16384, 16384, 'plain'],
    ['gif-static.gif', 109, 96, 'plain'],
    ['gif-transparent.gif', 109, 96, 'framed'],
    ['gif-frame-offset.gif', 122, 105, 'framed'],
    ['bomb-gif-65535-canvas.gif', 65535, 65535, 'framed'],
    ['avif-alpha.avif', 100, 80, 'ycbcr'],
    ['tif-rgb8-be.tif', 130, 89, 'plain'],
    ['tif-cmyk.tif', 70, 50, 'cmyk'],
    ['tif-l16.tif', 130, 89, 'gray16'],
    ['tif-rgba-assoc.tif', 130, 89, 'premultiplied'],
    ['bomb-tif-60000x60000-declared.tif', 60000, 60000, 'plain'],
  ];
  for (const [name, width, height, kind] of rows) {
    test(name, () => {
      const sniffed = sniff(read(name));
      assert.ok(sniffed && 'header' in sniffed && sniffed.header);
      const { header } = sniffed;
      assert.deepEqual([header.width, header.height, header.samples?.kind], [width, height, kind]);
    });
  }

  test('C5: the first 33 bytes of a PNG of 50,000 x 50,000 pixels give its size', () => {
    const { header } = sniff(pngHeader(50_000, 50_000)) as { header: unknown };
    assert.deepEqual(header, { width: 50_000, height: 50_000, samples: { kind: 'plain' }, turned: false });
  });

  test("Adobe's marker is found after the frame header too", () => {
    const { header } = sniff(Buffer.concat([jpeg(APP1, { components: 4 }), ADOBE, SCAN])) as { header: object };
    assert.deepEqual(header, { width: 300, height: 200, samples: { kind: 'cmyk', adobe: true }, turned: false });
  });

  test('JPEGs of 12 bits or two components have no supported samples', () => {
    for (const variant of [{ precision: 12 }, { components: 2 }]) {
      const { header } = sniff(jpeg(APP1, variant)) as { header: { samples: unknown } };
      assert.equal(header.samples, undefined);
    }
  });

  test('a PNG with a wrong checksum, depth or size is damaged', () => {
    const flipped = pngHeader(4, 4);
    flipped.writeUInt8(5, 19);
    for (const bytes of [flipped, pngHeader(4, 4, 16, 3), pngHeader(0, 4), pngHeader(4, 4).subarray(0, 32)]) {
      assert.deepEqual(sniff(bytes), { format: 'png', header: undefined, mistake: 'a damaged header' });
    }
  });
});

function box(type: string, ...content: readonly Uint8Array[]): Buffer {
  const whole = Buffer.concat([Buffer.alloc(4), latin1(type), ...content]);
  whole.writeUInt32BE(whole.length, 0);
  return whole;
}

/** An AVIF whose meta box has all parts of a picture. `content`: of the box of the given type, after its sizes. */
function avifOf(type: string, content: Uint8Array): Buffer {
  const location = type === 'iloc' ? Buffer.concat([latin1('\0\0\0\0\0\0\xff\xff'), content]) : content;
  const parts = [
    box('pitm', latin1('\0\0\0\0\0\x01')),
    box('iinf', latin1('\0\0\0\0\0\x01'), box('infe', latin1('\x02\0\0\0\0\x01\0\0av01\0'))),
    box('iloc', location),
    box('iprp', box('ipco'), box('ipma', Buffer.alloc(8))),
  ];
  return Buffer.concat([box('ftyp', latin1('avis\0\0\0\0')), box('meta', Buffer.alloc(4), ...parts)]);
}

/** A moov box with tracks of many boxes each. */
function tracks(count: number): Buffer {
  const track = box('trak', ...Array.from({ length: 60 }, () => box('free')));
  return box('moov', ...Array.from({ length: count }, () => track));
}

describe('sniffing takes bounded time and never throws', () => {
  const megabytes = (part: Buffer, count: number) => Buffer.concat(Array.from({ length: count }, () => part));
  const rows: [string, Buffer, boolean][] = [
    [
      'a PNG with a million chunks',
      Buffer.concat([pngHeader(9, 9), megabytes(latin1('\0\0\0\0teXt\0\0\0\0'), 1e6)]),
      true,
    ],
    ['a JPEG with 4,000 segments', jpeg(megabytes(APP1, 4000)), true],
    ['a JPEG with two million segments', jpeg(megabytes(latin1('\xff\xe1\0\x02'), 2e6)), false],
    ['a JPEG with 200,000 fill bytes', jpeg(Buffer.alloc(2e5, 0xff)), true],
    ['A11: a JPEG with ten million fill bytes', jpeg(Buffer.alloc(1e7, 0xff)), false],
    ['A11: a JPEG with ten million stray bytes', jpeg(Buffer.alloc(1e7, '\xff\0', 'latin1')), false],
    [
      'a GIF with ten million stray bytes',
      Buffer.concat([latin1('GIF89a\x01\0\x01\0\0\0\0'), Buffer.alloc(1e7)]),
      false,
    ],
    [
      'a GIF with five million comments',
      Buffer.concat([latin1('GIF89a\x01\0\x01\0\0\0\0!\xfe'), Buffer.alloc(1e7, 1)]),
      false,
    ],
    [
      'an AVIF with a million boxes',
      Buffer.concat([latin1('\0\0\0\x10ftypavif\0\0\0\0'), megabytes(latin1('\0\0\0\x08free'), 1e6)]),
      false,
    ],
    ['A11: a TIFF with 20,000 tags', Buffer.concat([latin1('II*\0\x08\0\0\0\x20\x4e'), Buffer.alloc(240_000)]), false],
    ['an AVIF with a billion extents', avifOf('iloc', Buffer.alloc(1e6, '\0\0\xff\xff', 'latin1')), false],
    ['an AVIF with 16,000 tracks', Buffer.concat([avifOf('free', Buffer.alloc(0)), tracks(16_000)]), false],
    ['a text of ten megabytes', Buffer.alloc(1e7, '<!-- '), false],
  ];
  for (const [name, bytes, readable] of rows) {
    test(name, () => {
      const before = process.cpuUsage();
      const sniffed = sniff(bytes);
      assert.ok(process.cpuUsage(before).user < 100_000, 'microseconds');
      assert.equal(sniffed !== undefined && 'header' in sniffed && sniffed.header !== undefined, readable);
    });
  }

  test('a picture cut at any length does not throw', () => {
    for (const name of readdirSync(IMAGES)) {
      const bytes = read(name);
      for (let length = 0; length < Math.min(bytes.length, 2048); length++) sniff(bytes.subarray(0, length));
    }
  });

  test('property: any bytes after any magic give a format, a positive size or nothing', () => {
    const magics = [
      '',
      '\xff\xd8\xff',
      'GIF89a',
      'II*\0\x08\0\0\0',
      'MM\0*\0\0\0\x08',
      'RIFF\0\0\0\0WEBPVP8X',
      '\0\0\0\x10ftypavif\0\0\0\0',
    ];
    const bytes = fc.tuple(fc.constantFrom(...magics), fc.uint8Array({ maxLength: 200 }));
    fc.assert(
      fc.property(bytes, ([magic, rest]) => {
        const sniffed = sniff(Buffer.concat([latin1(magic), rest]));
        if (!sniffed || !('header' in sniffed) || !sniffed.header) return;
        const { width, height } = sniffed.header;
        assert.ok(Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0);
      }),
      { numRuns: 5000 },
    );
  });
});
