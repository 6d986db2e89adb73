/** C: pictures that are damaged, too large, in an unsupported format, or unusual. All are sent as the request body. */
import sharp from 'sharp';
import { type Check, type Drill, Mismatch, type RunnableCheck } from './check.ts';
import { expectEach, expectResponse, expectSameScores, expectWithin, scorePicture } from './expect.ts';
import * as pictures from './pictures.ts';

type Pictures = Readonly<Record<string, Uint8Array>>;

/** Sends pictures. Every response must be one of `allowed`. */
function answered(
  { id, sends, make }: { id: string; sends: string; make: () => Pictures | Promise<Pictures> },
  ...allowed: string[]
): RunnableCheck {
  return {
    id,
    sends,
    expects: allowed.join(' or '),
    run: async ({ endpoint }) => expectEach(await make(), endpoint.predictPicture, ...allowed),
  };
}

/** Sends pictures that must get the same scores as a reference picture. */
function sameScores(
  id: string,
  sends: string,
  make: () => Promise<readonly [reference: Uint8Array, others: Pictures]>,
): RunnableCheck {
  return {
    id,
    sends,
    expects: '200, the same scores as the plain picture',
    async run({ endpoint }) {
      const [reference, others] = await make();
      const scores = await scorePicture(endpoint, reference);
      for (const [name, other] of Object.entries(others)) {
        expectSameScores(scores, await scorePicture(endpoint, other, name), name);
      }
      return '200, same scores';
    },
  };
}

const latin1 = (text: string) => Buffer.from(text, 'latin1');
const UNREADABLE = '422 image_unreadable';
const UNSUPPORTED = '422 image_unsupported';

/** The first bytes of files in unsupported formats. */
const UNSUPPORTED_FILES: Pictures = {
  pdf: latin1('%PDF-1.7\n%\xe2\xe3\xcf\xd3\n'),
  heif: latin1('\0\0\0\x18ftypheic\0\0\0\0heicmif1'),
  jp2: latin1('\0\0\0\x0cjP  \r\n\x87\n\0\0\0\x14ftypjp2 '),
  psd: latin1('8BPS\0\x01\0\0\0\0\0\0\0\x03'),
  ico: latin1('\0\0\x01\0\x01\0\x10\x10\0\0'),
  bmp: latin1('BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0'),
  video: latin1('\0\0\0\x18ftypisom\0\0\0\0isomavc1'),
};

async function prefixes(): Promise<Pictures> {
  const whole = { jpeg: await pictures.jpeg(), png: await pictures.png(), webp: await pictures.webp() };
  const parts = Array.from({ length: 10 }, (_, tenth) => tenth * 10);
  return Object.fromEntries(
    Object.entries(whole).flatMap(([name, bytes]) =>
      parts.map((percent) => [`${percent} % of a ${name}`, bytes.subarray(0, (bytes.length * percent) / 100)]),
    ),
  );
}

async function mutations(): Promise<Pictures> {
  const whole = [await pictures.jpeg(), await pictures.png(), await pictures.webp()];
  const made = whole.flatMap((bytes, kind) =>
    Array.from({ length: 6 }, (_, seed) => [`mutation ${kind * 6 + seed}`, pictures.mutated(bytes, seed + 1)] as const),
  );
  return Object.fromEntries(made);
}

/** An SVG whose entity and image would be fetched from the origin if it were rendered. */
async function svg({ endpoint, origin }: Drill): Promise<string> {
  const page = origin.page((_request, response) => response.end());
  const drawing = `<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "${page.at('127.0.0.1')}">]>
    <svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><script>1</script><image href="${page.url}"/>&x;</svg>`;
  const came = await expectEach(
    { svg: Buffer.from(drawing), ...UNSUPPORTED_FILES },
    endpoint.predictPicture,
    UNSUPPORTED,
  );
  if (page.requests.length > 0) throw new Mismatch(`${came}, but a URL in the SVG was fetched`);
  return came;
}

export const PICTURES: readonly Check[] = [
  answered({ id: 'C1', sends: 'the first 0, 10, … 90 % of a JPEG, a PNG, a WebP', make: prefixes }, UNREADABLE, '200'),
  answered({ id: 'C2', sends: '18 pictures with bytes changed', make: mutations }, '422', '200'),
  {
    id: 'C3',
    sends: 'SVG, PDF, HEIF, JP2, PSD, ICO, BMP, video',
    expects: `${UNSUPPORTED}, nothing fetched`,
    run: svg,
  },
  {
    id: 'C4',
    sends: 'a JPEG followed by HTML, by a ZIP; a JPEG behind a PNG signature',
    expects: '200; 422',
    async run({ endpoint }) {
      const jpeg = await pictures.jpeg();
      const both = {
        html: Buffer.concat([jpeg, latin1('<html><script>1</script>')]),
        zip: Buffer.concat([jpeg, latin1('PK\x05\x06'), Buffer.alloc(18)]),
      };
      const read = await expectEach(both, endpoint.predictPicture, '200');
      const mixed = { 'PNG signature': Buffer.concat([latin1('\x89PNG\r\n\x1a\n'), jpeg]) };
      return `${read}; ${await expectEach(mixed, endpoint.predictPicture, '422')}`;
    },
  },
  {
    id: 'C5',
    sends: 'headers of 65,535², 65,500² and 16,384² pixels: PNG, JPEG, WebP',
    expects: '422 image_too_large within 3 s',
    async run({ endpoint }) {
      const huge = {
        png: pictures.declaredPng(65_535, 65_535),
        jpeg: await pictures.declaredJpeg(65_500, 65_500),
        webp: await pictures.largestWebp(),
      };
      const send = async (bytes: Uint8Array) => {
        const response = await endpoint.predictPicture(bytes);
        expectWithin(response, 3000);
        return response;
      };
      return expectEach(huge, send, '422 image_too_large');
    },
  },
  answered(
    {
      id: 'C6',
      sends: '50,000 PNG chunks; a PNG text chunk that inflates to 50 MB; 64 KB of invalid EXIF',
      async make() {
        const png = await pictures.png();
        const chunk = pictures.pngChunk('teSt');
        return {
          chunks: pictures.withChunks(png, ...Array<Buffer>(50_000).fill(chunk)),
          text: pictures.withChunks(png, pictures.textBomb(50e6)),
          exif: pictures.withSegment(await pictures.jpeg(), 0xe1, Buffer.from(`Exif\0\0${'nonsense'.repeat(8000)}`)),
        };
      },
    },
    '200',
    '422',
  ),
  {
    id: 'C7',
    sends: 'an animated GIF of 500 frames',
    expects: '200 within 5 s, or 422 if GIF is not supported',
    async run({ endpoint }) {
      const response = await endpoint.predictPicture(await pictures.animated(500));
      expectWithin(response, 5000);
      return expectResponse(response, '200', UNSUPPORTED);
    },
  },
  answered(
    {
      id: 'C8',
      sends: '1x1, 2x2, 1x10,000, 299x299, 300x298',
      async make() {
        const sizes = [
          [1, 1],
          [2, 2],
          [1, 10_000],
          [299, 299],
          [300, 298],
        ] as const;
        const made = sizes.map(
          async ([width, height]) => [`${width}x${height}`, await pictures.plain(width, height)] as const,
        );
        return Object.fromEntries(await Promise.all(made));
      },
    },
    '200',
  ),
  sameScores('C9', 'a grey and an RGBA picture: the scores of RGB', async () => {
    const grey = pictures.grayPhoto();
    const rgb = await grey.clone().toColourspace('srgb').png().toBuffer();
    const rgba = await grey.clone().toColourspace('srgb').ensureAlpha().png().toBuffer();
    return [rgb, { grey: await grey.clone().toColourspace('b-w').png().toBuffer(), rgba }];
  }),
  answered(
    {
      id: 'C10',
      sends: 'a CMYK JPEG',
      make: async () => ({ cmyk: await pictures.photo().toColourspace('cmyk').jpeg().toBuffer() }),
    },
    '200',
    '422',
  ),
  sameScores('C11', 'EXIF orientations 2 to 8: ignored', async () => {
    const jpeg = await pictures.jpeg();
    const turned = [2, 3, 4, 5, 6, 7, 8].map((orientation) => {
      const exif = pictures.exifOrientation(orientation);
      return [`orientation ${orientation}`, pictures.withSegment(jpeg, 0xe1, exif)] as const;
    });
    return [jpeg, Object.fromEntries(turned)];
  }),
  sameScores('C12', 'a gamma chunk: ignored', async () => {
    const png = await pictures.png();
    return [png, { gamma: pictures.withChunks(png, pictures.pngChunk('gAMA', Buffer.from([0, 0, 0x27, 0x10]))) }];
  }),
  answered(
    {
      id: 'C13',
      sends: 'JPEG: progressive, 4:4:4, odd size',
      async make() {
        return {
          progressive: await pictures.photo().jpeg({ progressive: true }).toBuffer(),
          '4:4:4': await pictures.photo().jpeg({ chromaSubsampling: '4:4:4' }).toBuffer(),
          odd: await sharp(await pictures.plain(301, 17))
            .jpeg()
            .toBuffer(),
        };
      },
    },
    '200',
  ),
  {
    id: 'C14-C15',
    sends: 'the photos of the clothing data set',
    skipReason: 'needs their tensors: see tests/dataset.test.ts',
  },
  sameScores('C16', 'a lossless WebP: the scores of the PNG', async () => [
    await pictures.png(),
    { webp: await pictures.webp() },
  ]),
  {
    id: 'C17-C18',
    sends: 'pictures that are slow to decode, 50 of the largest size at once',
    skipReason: 'needs load',
  },
  answered(
    {
      id: 'C19',
      sends: 'a ZIP, the first 3 bytes of a JPEG',
      make: () => ({ zip: latin1('PK\x03\x04\x14\0'), start: latin1('\xff\xd8\xff') }),
    },
    UNREADABLE,
    UNSUPPORTED,
  ),
  {
    id: 'C20',
    sends: 'a good picture',
    expects: '200, every score finite',
    async run({ endpoint, picture }) {
      const scores = await scorePicture(endpoint, picture);
      return `200, ${Object.keys(scores).length} finite scores`;
    },
  },
];
