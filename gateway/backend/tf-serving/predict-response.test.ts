import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadSync, type MessageTypeDefinition } from '@grpc/proto-loader';
import fc from 'fast-check';
import { numbersOf } from '../../domain/elements.ts';
import { atOnce } from '../../domain/steps.ts';
import { stringsOf as allOf } from '../../domain/strings.ts';
import type { Tensor } from '../../domain/tensor.ts';
import { GatewayError } from '../../errors.ts';
import { readable } from '../grpc/readable.ts';
import { predictionIn, readPrediction as readInTurns } from './predict-response.ts';

const PROTOS = fileURLToPath(new URL('../../../protos', import.meta.url));
const definitions = loadSync('tensorflow_serving/apis/predict.proto', { includeDirs: [PROTOS], keepCase: true });
const { serialize } = definitions['tensorflow.serving.PredictResponse'] as MessageTypeDefinition<object, object>;
const OUTPUTS = ['y', 'z', 'extra', 'complex', 'unknown', 'toString', 'constructor'];
const readPrediction = (response: Uint8Array, elements = 2 ** 24) =>
  readable(() => atOnce(predictionIn(response, { outputs: OUTPUTS, elements })));

type Fields = { dtype: string; shape?: readonly (number | string)[]; [list: string]: unknown };

function proto({ shape, ...fields }: Fields): object {
  return { ...fields, tensor_shape: { dim: (shape ?? []).map((size) => ({ size })) } };
}

function answer(outputs: Record<string, object>, version: unknown = 1): Buffer {
  return serialize({ outputs, model_spec: { name: 'm', version: { value: version } } });
}

function read(fields: Fields): Tensor {
  const tensor = readPrediction(answer({ y: proto(fields) })).outputs.get('y');
  assert.ok(tensor);
  return tensor;
}

function values(fields: Fields): number[] {
  return Array.from(numbersOf(read(fields)));
}

function stringsOf(tensor: Tensor): readonly Uint8Array[] {
  return 'offsets' in tensor ? allOf(tensor) : assert.fail('a tensor of numbers');
}

function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

const fails = (error: unknown) => error instanceof GatewayError && error.kind === 'model_failed';

/** Each type's values as a list and as bytes. */
const ENCODINGS: readonly { dtype: string; list: object; content: ArrayBufferView; values: readonly number[] }[] = [
  {
    dtype: 'DT_FLOAT',
    list: { float_val: [1.5, -0, Number.NaN, Number.POSITIVE_INFINITY] },
    content: Float32Array.of(1.5, -0, Number.NaN, Number.POSITIVE_INFINITY),
    values: [1.5, -0, Number.NaN, Number.POSITIVE_INFINITY],
  },
  {
    dtype: 'DT_DOUBLE',
    list: { double_val: [0.1, -2e300] },
    content: Float64Array.of(0.1, -2e300),
    values: [0.1, -2e300],
  },
  {
    dtype: 'DT_HALF',
    list: { half_val: [0x3e00, 0xc000, 0x0001] },
    content: Uint16Array.of(0x3e00, 0xc000, 0x0001),
    values: [1.5, -2, 2 ** -24],
  },
  {
    dtype: 'DT_BFLOAT16',
    list: { half_val: [0x3fc0, 0xc000, 0xff80] },
    content: Uint16Array.of(0x3fc0, 0xc000, 0xff80),
    values: [1.5, -2, Number.NEGATIVE_INFINITY],
  },
  { dtype: 'DT_INT8', list: { int_val: [-128, 127] }, content: Int8Array.of(-128, 127), values: [-128, 127] },
  { dtype: 'DT_INT16', list: { int_val: [-3, 300] }, content: Int16Array.of(-3, 300), values: [-3, 300] },
  { dtype: 'DT_INT32', list: { int_val: [-3, 70_000] }, content: Int32Array.of(-3, 70_000), values: [-3, 70_000] },
  {
    dtype: 'DT_INT64',
    list: { int64_val: ['-9007199254740991', '5'] },
    content: BigInt64Array.of(-9007199254740991n, 5n),
    values: [-9007199254740991, 5],
  },
  { dtype: 'DT_UINT8', list: { int_val: [0, 255] }, content: Uint8Array.of(0, 255), values: [0, 255] },
  { dtype: 'DT_UINT16', list: { int_val: [0, 65_535] }, content: Uint16Array.of(0, 65_535), values: [0, 65_535] },
  {
    dtype: 'DT_UINT32',
    list: { uint32_val: [0, 4_294_967_295] },
    content: Uint32Array.of(0, 4_294_967_295),
    values: [0, 4_294_967_295],
  },
  {
    dtype: 'DT_UINT64',
    list: { uint64_val: ['18446744073709551615', '1'] },
    content: BigUint64Array.of(18446744073709551615n, 1n),
    values: [2 ** 64, 1],
  },
  { dtype: 'DT_BOOL', list: { bool_val: [true, false] }, content: Uint8Array.of(1, 0), values: [1, 0] },
];

for (const { dtype, list, content, values: wanted } of ENCODINGS) {
  test(`E7: ${dtype} as a list, as bytes, shortened and empty`, () => {
    const shape = [wanted.length];
    assert.deepEqual(values({ dtype, shape, ...list }), wanted);
    assert.deepEqual(values({ dtype, shape, tensor_content: bytesOf(content) }), wanted);
    assert.deepEqual(
      values({ dtype, shape: [2, 3], ...list }).slice(wanted.length),
      Array(6 - wanted.length).fill(wanted.at(-1)),
    );
    assert.deepEqual(values({ dtype, shape: [2, 2] }), [0, 0, 0, 0]);
    assert.deepEqual(values({ dtype, shape: [0, 4] }), []);
    assert.equal(values({ dtype, shape: [], ...list, ...one(list) })[0], wanted[0]);
  });
}

/** The list with only its first value, for a scalar. */
function one(list: object): object {
  return Object.fromEntries(Object.entries(list).map(([field, items]) => [field, items.slice(0, 1)]));
}

test('DT_STRING is read as bytes', () => {
  const tensor = read({ dtype: 'DT_STRING', shape: [3], string_val: [Buffer.from('a'), Buffer.of(0xff)] });
  assert.equal(numbersOf(tensor).length, 0);
  assert.deepEqual(
    stringsOf(tensor).map((bytes) => Buffer.from(bytes).toString('hex')),
    ['61', 'ff', 'ff'],
  );
  assert.equal(stringsOf(read({ dtype: 'DT_STRING', shape: [2] })).length, 2);
});

test('DT_STRING in tensor_content: all lengths, then all strings', () => {
  const text = 'x'.repeat(300);
  const tensor_content = Buffer.concat([Buffer.of(1, 0xac, 0x02, 0), Buffer.from(`a${text}`)]);
  const strings = stringsOf(read({ dtype: 'DT_STRING', shape: [3], tensor_content }));
  assert.deepEqual(
    strings.map((bytes) => Buffer.from(bytes).toString()),
    ['a', text, ''],
  );
  const endless = Buffer.from('ffffffffffff', 'hex');
  for (const wrong of [
    tensor_content.subarray(1),
    tensor_content.subarray(0, -1),
    Buffer.of(1),
    Buffer.of(0x80),
    endless,
  ]) {
    assert.throws(() => read({ dtype: 'DT_STRING', shape: [1], tensor_content: wrong }), fails, wrong.toString('hex'));
  }
  assert.throws(() => read({ dtype: 'DT_STRING', shape: [2 ** 31], tensor_content }), fails);
});

test('a missing shape is that of a scalar, as everywhere in protobuf', () => {
  const { outputs } = readPrediction(answer({ y: { dtype: 'DT_FLOAT', float_val: [3] } }));
  assert.deepEqual(outputs.get('y'), { dtype: 'DT_FLOAT', shape: [], bytes: bytesOf(Float32Array.of(3)) });
});

test('E7: shape, version and every output are read', () => {
  const y = proto({ dtype: 'DT_FLOAT', shape: [1, 2], float_val: [1, 2] });
  const extra = proto({ dtype: 'DT_INT64', shape: [], int64_val: [9] });
  const { version, outputs } = readPrediction(answer({ y, extra }, '1754000000000'));
  assert.equal(version, 1_754_000_000_000);
  assert.deepEqual([...outputs.keys()].sort(), ['extra', 'y']);
  assert.deepEqual(outputs.get('y')?.shape, [1, 2]);
  assert.equal(outputs.get('y')?.dtype, 'DT_FLOAT');
});

test('an output of an unsupported dtype is left out, the others are read', () => {
  const y = proto({ dtype: 'DT_FLOAT', shape: [1], float_val: [1] });
  const complex = proto({ dtype: 'DT_COMPLEX64', shape: [1], scomplex_val: [1, 2] });
  const unknown = proto({ dtype: 'DT_FLOAT', shape: [1] });
  const { outputs } = readPrediction(answer({ y, complex, unknown: { ...unknown, dtype: 99 } }));
  assert.deepEqual([...outputs.keys()], ['y']);
});

test('values that do not fit the shape are refused', () => {
  const float = (fields: object) => () => read({ dtype: 'DT_FLOAT', ...fields });
  assert.throws(float({ shape: [2], float_val: [1, 2, 3] }), fails);
  assert.throws(float({ shape: [2], tensor_content: Buffer.alloc(7) }), fails);
  assert.throws(float({ shape: [2], tensor_content: Buffer.alloc(12) }), fails);
  assert.throws(float({ shape: [-1], float_val: [1] }), fails);
  assert.throws(float({ shape: [2 ** 30, 2 ** 30], float_val: [1] }), fails, 'more elements than a safe integer');
  assert.throws(float({ shape: [2 ** 25], float_val: [1] }), fails, 'more repeated values than the limit');
  assert.throws(
    () => readPrediction(answer({ y: { dtype: 'DT_FLOAT', tensor_shape: { unknown_rank: true } } })),
    fails,
  );
});

test('the public text contains nothing of the response, the cause does', () => {
  assert.throws(
    () => read({ dtype: 'DT_FLOAT', shape: [2], float_val: [1, 2, 3] }),
    (error) =>
      fails(error) &&
      error instanceof GatewayError &&
      !/3/.test(error.message) &&
      /more than 2 values/.test(`${error.cause}`),
  );
});

test('a version beyond 2^53 is refused, not rounded; a missing one stays undefined', () => {
  assert.throws(() => readPrediction(answer({}, '9007199254740993')), fails);
  assert.equal(readPrediction(serialize({ model_spec: { name: 'm' } })).version, undefined);
});

test('an output may have any name', () => {
  const y = proto({ dtype: 'DT_FLOAT', shape: [1], float_val: [1] });
  const { outputs } = readPrediction(answer({ toString: y, constructor: y }));
  assert.deepEqual([...outputs.keys()].sort(), ['constructor', 'toString']);
});

// A bound for each output would not do: several may be wanted.
test('A03: the elements of all wanted outputs together are bounded', () => {
  const half = proto({ dtype: 'DT_FLOAT', shape: [52], float_val: [1] });
  assert.equal(readPrediction(answer({ y: half }), 100).outputs.get('y')?.shape[0], 52);
  assert.throws(() => readPrediction(answer({ y: half, z: half }), 100), fails);
  assert.throws(() => readPrediction(answer({ y: proto({ dtype: 'DT_STRING', shape: [101] }) }), 100), fails);
});

test('A03: an output that is not wanted is skipped, whatever it holds', () => {
  const y = proto({ dtype: 'DT_FLOAT', shape: [1], float_val: [1] });
  const other = proto({ dtype: 'DT_FLOAT', shape: [-5], float_val: Array(1e6).fill(1) });
  assert.deepEqual([...readPrediction(answer({ other, y }), 10).outputs.keys()], ['y']);
});

/** A length-delimited field. */
function field(number: number, ...parts: readonly Uint8Array[]): Buffer {
  const bytes = Buffer.concat(parts);
  const length = [];
  for (let rest = bytes.length; rest > 0 || length.length === 0; rest = Math.floor(rest / 128)) {
    length.push((rest % 128) + (rest >= 128 ? 128 : 0));
  }
  return Buffer.concat([Buffer.of(number * 8 + 2, ...length), bytes]);
}

/** Two bytes as often as a megabyte holds them. */
const megabyteOf = (...bytes: readonly number[]) => Buffer.alloc(2 ** 20, Buffer.of(...bytes));
const output = (...parts: readonly Uint8Array[]) => field(1, field(1, Buffer.from('y')), field(2, ...parts));
const ONE_FLOAT = Buffer.of(0x08, 1, 0x12, 4, 0x12, 2, 0x08, 1);

for (const [what, bytes] of [
  ['strings where a number is wanted', output(ONE_FLOAT, megabyteOf(0x42, 0))],
  ['numbers of an unpacked list', output(Buffer.of(0x08, 3, 0x12, 4, 0x12, 2, 0x08, 1), megabyteOf(0x38, 0))],
  ['numbers of a packed list', output(Buffer.of(0x08, 3), field(7, megabyteOf(1)))],
  ['axes', output(Buffer.of(0x08, 1), field(2, megabyteOf(0x12, 0)))],
  ['tensors', megabyteOf(0x0a, 0)],
  ['names of the model', field(2, megabyteOf(0x0a, 0))],
] as const) {
  test(`A03: a megabyte of ${what} is refused after a bounded number of fields`, (t) => {
    const startMs = performance.now();
    assert.throws(() => readPrediction(bytes, 100), fails);
    t.diagnostic(`came: model_failed after ${(performance.now() - startMs).toFixed(1)} ms`);
  });
}

test('a million integers and strings are read in turns, with other work between them', async () => {
  const count = 2 ** 20;
  for (const y of [
    proto({ dtype: 'DT_INT64', shape: [count], int64_val: Array(count).fill(-1) }),
    proto({ dtype: 'DT_STRING', shape: [count], string_val: Array(count).fill(Buffer.from('jeans')) }),
  ]) {
    let turns = 0;
    const timer = setInterval(() => {
      turns += 1;
    });
    const wanted = { outputs: ['y'], elements: count };
    const { outputs } = await readInTurns(answer({ y }), wanted).finally(() => clearInterval(timer));
    assert.equal(outputs.get('y')?.shape[0], count);
    assert.ok(turns > 4, `${turns} turns`);
  }
});

test('a string is repeated up to the limit of elements, and no further', () => {
  const text = '0123456789';
  const y = proto({ dtype: 'DT_STRING', shape: [20], string_val: [Buffer.from(text)] });
  const tensor = readPrediction(answer({ y }), 210).outputs.get('y') ?? assert.fail();
  assert.deepEqual(
    stringsOf(tensor).map((bytes) => Buffer.from(bytes).toString()),
    Array(20).fill(text),
  );
  assert.throws(() => readPrediction(answer({ y }), 200), fails);
});

test('any bytes give a prediction or model_failed, and so does a good response with a flipped bit', () => {
  const survives = (bytes: Uint8Array) => {
    try {
      readPrediction(bytes);
    } catch (error) {
      assert.ok(fails(error), `${error}`);
    }
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), survives));
  const good = answer({ y: proto({ dtype: 'DT_FLOAT', shape: [1, 2], float_val: [1, 2] }) });
  for (let bit = 0; bit < good.length * 8; bit += 1) {
    const bad = Uint8Array.from(good);
    bad[bit >> 3] = (bad[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    survives(bad);
  }
});
