/** Pictures that Pillow reads although they break their standard, and inputs of every dtype, through a gateway. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, before, type TestContext, test } from 'node:test';
import sharp from 'sharp';
import { predict, type RunningGateway, startGateway } from '../gateway.ts';
import { floatTensor, isWarmUp, type ModelServer, type PredictCall, startModelServer } from '../model-server.ts';
import { modelsFolder } from '../models.ts';

/** Width, height and the SHA-256 of Pillow 13's RGB bytes. */
const REPORTS: Readonly<
  Record<string, readonly [files: readonly string[], width: number, height: number, rgb: string]>
> = {
  'D19 (01): bytes between the segments of a JPEG': [
    ['app1-marker-written-00e1', 'ff00-pair-before-dqt', 'one-extra-byte-before-dqt', 'seven-extra-bytes'].map(
      (name) => `01-jpeg-junk-between-segments/${name}.jpg`,
    ),
    160,
    120,
    '1b11d9767fcbe9ed7833f4b1325cebdd5733215d6cfc655e0c317b148eaa10b8',
  ],
  'D19 (02): bytes between the blocks of a GIF': [
    ['02-gif-junk-between-blocks/seven-bytes.gif', '02-gif-junk-between-blocks/zero-byte.gif'],
    100,
    80,
    '21297ff2c2c65f307df82f62b84f50356ddd3fa39c46d4ba1e3aca3ecba2490c',
  ],
  'D20 (19): the first frame of an animated AVIF': [
    ['19-avif-sequence/two-frames-gray.avif'],
    96,
    64,
    '9938f08f880cb5f3256976ddf25bac466f182bbd39ff93ab6b0335f7caabddba',
  ],
  'D19 (22): a chunk before IHDR, an unknown critical chunk, no checksum of the rows': [
    ['text-chunk-before-ihdr', 'unknown-critical-chunk', 'zlib-checksum-missing'].map(
      (name) => `22-png-that-pillow-reads/${name}.png`,
    ),
    80,
    60,
    'e1d4bccbb19626cf00832ad076281ab0ebabae02d4ac4b1e65350496c59a965a',
  ],
  'D19 (22): a PNG without its last row': [
    ['22-png-that-pillow-reads/last-row-missing.png'],
    80,
    60,
    'bc38a9852b2dd9f9ba636de45eedec3cb04d51af99ba45d11aaacb7a2b557e92',
  ],
  'D19 (28): a GIF without its end': [
    ['28-gif-without-end/cut-2.gif'],
    40,
    40,
    '662318bd1e0633f7161de2dc7f60893510c124d859a663b26024391269a9d238',
  ],
};

const SCORES = 'classes: [a, b]\n';
/** Models that get the pixels themselves, one for each size. */
const SIZES = Object.values(REPORTS).map(([, width, height]) => [width, height] as const);
const pixelModels = SIZES.map(([width, height]) => [
  `size-${width}x${height}`,
  { dtype: 'DT_UINT8', image: `{size: [${height}, ${width}], scale: none}` },
]);
/** One model for each dtype of the input. tf.image.resize of the 2 x 1 picture below gives halves and overshoots. */
const HALVES = '{size: [1, 4], engine: tensorflow, resize: bicubic, scale: none}';
const MODELS: Readonly<Record<string, { dtype: string; image: string }>> = {
  ...Object.fromEntries(pixelModels),
  bytes: { dtype: 'DT_UINT8', image: HALVES },
  integers: { dtype: 'DT_INT32', image: HALVES },
  halves: { dtype: 'DT_HALF', image: HALVES },
  bfloats: { dtype: 'DT_BFLOAT16', image: HALVES },
  floats: { dtype: 'DT_FLOAT', image: HALVES },
  encoded: { dtype: 'DT_STRING', image: '{encoded: true}' },
};

const read = (file: string) => readFileSync(new URL(file, import.meta.url));
const gray16 = (value: number) =>
  sharp(Uint16Array.of(value), { raw: { width: 1, height: 1, channels: 1 } })
    .toColourspace('grey16')
    .png()
    .toBuffer();

let server: ModelServer;
let gateway: RunningGateway;

before(async (t) => {
  const outputs = { y: { dtype: 'DT_FLOAT', shape: [-1, 2] } };
  const inputsOf = (dtype: string) => ({
    x: { dtype, shape: dtype === 'DT_STRING' ? [-1] : [-1, -1, -1, -1] },
  });
  const gray = { dtype: 'DT_UINT8', image: '{size: [1, 1], scale: none, color: grayscale}' };
  const models = Object.entries({ ...MODELS, gray });
  server = await startModelServer({
    inputs: {},
    outputs,
    models: Object.fromEntries(models.map(([name, { dtype }]) => [name, { inputs: inputsOf(dtype), outputs }])),
    onPredict: ({ inputs }) => {
      const rows = inputs.x?.shape[0] ?? 0;
      return { y: floatTensor([rows, 2], Array(2 * rows).fill(1)) };
    },
  });
  const cards = models.map(([name, { image }]) => [name, `name: ${name}\nimage: ${image}\n${SCORES}`]);
  gateway = await startGateway({
    TF_SERVING_HOST: server.target,
    MODELS: await modelsFolder(t as TestContext, Object.fromEntries(cards)),
    IMAGE_FORMATS: 'jpeg,png,webp,gif,avif,tiff',
  });
  await gateway.ready();
});

after(async () => {
  try {
    assert.equal(await gateway?.stop(), 0);
  } finally {
    server?.close();
  }
});

/** The status of a picture's prediction, and the call that the model server got for it. */
async function ask(model: string, ...pictures: readonly Uint8Array[]): Promise<[number, PredictCall | undefined]> {
  const before = server.calls.length;
  const instances = pictures.map((bytes) => ({ b64: Buffer.from(bytes).toString('base64') }));
  const { status } = await predict(gateway, { instances }, `?model=${model}`);
  return [status, server.calls.slice(before).find((call) => call.spec.name === model)];
}

for (const [entry, [files, width, height, rgb]] of Object.entries(REPORTS)) {
  test(`${entry}: Pillow's pixels`, async () => {
    for (const file of files) {
      const [status, call] = await ask(`size-${width}x${height}`, read(file));
      assert.equal(status, 200, file);
      const pixels = createHash('sha256').update(call?.inputs.x?.tensor_content ?? '');
      assert.equal(pixels.digest('hex'), rgb, file);
    }
  });
}

test('A6 (25): an uncompressed YCbCr TIFF is refused as a rare variant', async () => {
  const answer = await predict(gateway, { b64: read('25-tiff-ycbcr/ycbcr.tif').toString('base64') }, '?model=bytes');
  assert.equal(answer.status, 422);
  const { kind, detail } = (await answer.json()) as { kind: string; detail: string };
  assert.deepEqual([kind, /rare variant/.test(detail)], ['image_unsupported', true]);
});

/** 255, 0: bicubic to four pixels is 272.9, 187.9, 67.1, -17.9 in each channel. */
const BLACK_AND_WHITE = await sharp(Uint8Array.of(255, 255, 255, 0, 0, 0), {
  raw: { width: 2, height: 1, channels: 3 },
})
  .png()
  .toBuffer();

test('A3: values beyond a byte are clamped for a uint8 input, and kept for int32', async () => {
  const numbers = async (model: string) => {
    const [status, call] = await ask(model, BLACK_AND_WHITE);
    assert.equal(status, 200);
    return call?.inputs.x?.tensor_content ?? Buffer.alloc(0);
  };
  const red = (values: Iterable<number>) => [...values].filter((_, index) => index % 3 === 0);
  const floats = red(new Float32Array(new Uint8Array(await numbers('floats')).buffer));
  assert.ok(Math.max(...floats) > 255.5 && Math.min(...floats) < -0.5, `${floats}`);
  const clamped = floats.map((value) => Math.min(255, Math.max(0, Math.round(value))));
  assert.deepEqual(red(await numbers('bytes')), clamped);
  assert.deepEqual(red(new Int32Array(new Uint8Array(await numbers('integers')).buffer)), floats.map(Math.round));
  assert.deepEqual(red(new Float16Array(new Uint8Array(await numbers('halves')).buffer)), floats.map(Math.f16round));
  const bfloats = new Uint16Array(new Uint8Array(await numbers('bfloats')).buffer);
  const wide = new Float32Array(Uint32Array.from(bfloats, (bits) => bits << 16).buffer);
  red(wide).forEach((value, i) => {
    assert.ok(Math.abs(value - (floats[i] ?? 0)) <= 1, 'eight bits of precision');
  });
});

test('A3: 16-bit gray of 300 is 255 for a uint8 input', async () => {
  const [status, call] = await ask('gray', await gray16(300));
  assert.equal(status, 200);
  assert.deepEqual([...(call?.inputs.x?.tensor_content ?? [])], [255]);
});

test('F26: a model of encoded pictures gets the bytes as they are, after the header checks', async () => {
  const jpeg = read('01-jpeg-junk-between-segments/seven-extra-bytes.jpg');
  const [status, call] = await ask('encoded', jpeg, Buffer.from('no image'), BLACK_AND_WHITE);
  assert.ok(status === 200 && call);
  const input = (call.raw.request as { inputs: { x: { dtype: string; string_val: Buffer[] } } }).inputs.x;
  assert.equal(input.dtype, 'DT_STRING');
  assert.deepEqual(call.inputs.x?.shape, [2]);
  assert.deepEqual(
    input.string_val.map((bytes) => Buffer.from(bytes).toString('base64')).sort(),
    [jpeg, BLACK_AND_WHITE].map((bytes) => bytes.toString('base64')).sort(),
  );
  assert.ok(
    server.calls.every((one) => one.spec.name !== 'encoded' || isWarmUp(one)),
    'it has no tensor_content',
  );
});
