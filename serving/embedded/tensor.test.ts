import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DTYPES, type DType, isDType } from './dtype.ts';
import { loadProtocol, type TensorProto } from './protocol.ts';
import { type InputTensor, readTensor, writeTensor } from './tensor.ts';

const { predictionService } = loadProtocol();
const { requestSerialize, requestDeserialize } = predictionService.service.Predict as never as {
  requestSerialize(request: object): Buffer;
  requestDeserialize(bytes: Buffer): { inputs: { x: TensorProto } };
};

/** A tensor as decoded from a request. */
function sent(proto: object): TensorProto {
  return requestDeserialize(requestSerialize({ inputs: { x: proto } })).inputs.x;
}

const vector = (size: number) => ({ dim: [{ size }] });

function readNumbers(proto: object): (number | bigint)[] {
  const { dtype, data } = readTensor('x', sent(proto)) as InputTensor;
  assert.ok(isDType(dtype));
  const { array } = DTYPES[dtype];
  assert.ok(array && data instanceof Uint8Array);
  return Array.from(new array(data.slice().buffer) as Iterable<number | bigint>);
}

const FILLED: [string, object, number[]][] = [
  ['a short list repeats its last value', { tensor_shape: vector(3), float_val: [2, 5] }, [2, 5, 5]],
  ['an empty list means zeros', { tensor_shape: vector(2) }, [0, 0]],
  ['surplus values are dropped', { tensor_shape: vector(1), float_val: [7, 8] }, [7]],
  ['an axis of 0 has no values', { tensor_shape: vector(0) }, []],
  ['a tensor without a shape is a scalar', { float_val: [4] }, [4]],
];
for (const [what, proto, expected] of FILLED) {
  test(what, () => assert.deepEqual(readNumbers({ dtype: 'DT_FLOAT', ...proto }), expected));
}

const VALUES: [DType, object, (number | bigint)[]][] = [
  ['DT_DOUBLE', { double_val: [0.1, -2] }, [0.1, -2]],
  ['DT_HALF', { half_val: [0x3c00, 0xc000] }, [0x3c00, 0xc000]],
  ['DT_BFLOAT16', { half_val: [0x3f80, 0xc000] }, [0x3f80, 0xc000]],
  ['DT_INT8', { int_val: [-128, 127] }, [-128, 127]],
  ['DT_INT16', { int_val: [-32768, 32767] }, [-32768, 32767]],
  ['DT_INT32', { int_val: [-(2 ** 31), 2 ** 31 - 1] }, [-(2 ** 31), 2 ** 31 - 1]],
  ['DT_UINT8', { int_val: [0, 255] }, [0, 255]],
  ['DT_UINT16', { int_val: [0, 65535] }, [0, 65535]],
  ['DT_UINT32', { uint32_val: [0, 2 ** 32 - 1] }, [0, 2 ** 32 - 1]],
  ['DT_INT64', { int64_val: ['-9223372036854775808', '9007199254740993'] }, [-(2n ** 63n), 2n ** 53n + 1n]],
  ['DT_UINT64', { uint64_val: ['0', '18446744073709551615'] }, [0n, 2n ** 64n - 1n]],
  ['DT_BOOL', { bool_val: [true, false] }, [1, 0]],
];
for (const [dtype, values, expected] of VALUES) {
  test(`${dtype} is read from and written to its own field`, () => {
    const proto = { dtype, tensor_shape: vector(2), ...values };
    assert.deepEqual(readNumbers(proto), expected);
    const array = DTYPES[dtype].array as unknown as { from(values: unknown[]): Float32Array<ArrayBuffer> };
    const written = writeTensor({ dtype, shape: [2], data: array.from(expected) }, false);
    assert.deepEqual(sent(written), sent(proto));
  });
}

test('strings may be any bytes', () => {
  const strings = [Buffer.from('é'), Buffer.from([0xff, 0, 0x41]), Buffer.alloc(0)];
  const proto = { dtype: 'DT_STRING', tensor_shape: vector(3), string_val: strings };
  const { data } = readTensor('x', sent(proto)) as InputTensor;
  assert.ok(Array.isArray(data));
  assert.deepEqual([data[0], data[2]], ['é', '']);
  const written = writeTensor({ dtype: 'DT_STRING', shape: [3], data }, false);
  assert.deepEqual(sent(written).string_val, strings);
});

test('tensor_content of strings has all lengths, then all bytes', () => {
  const strings = [Buffer.from('é'), Buffer.alloc(300, 0xff), Buffer.alloc(0)];
  const content = Buffer.concat([Buffer.from([2, 0xac, 2, 0]), ...strings]);
  const proto = { dtype: 'DT_STRING', tensor_shape: vector(3), tensor_content: content };
  const { data } = readTensor('x', sent(proto)) as InputTensor;
  assert.ok(Array.isArray(data));
  assert.deepEqual(sent(writeTensor({ dtype: 'DT_STRING', shape: [3], data }, false)).string_val, strings);
  assert.deepEqual(sent(writeTensor({ dtype: 'DT_STRING', shape: [3], data }, true)).tensor_content, content);
});

test('complex numbers are read, so that the error can name the type', () => {
  for (const [dtype, bytes] of [
    ['DT_COMPLEX64', 16],
    ['DT_COMPLEX128', 32],
  ] as const) {
    const proto = { dtype, tensor_shape: vector(2), tensor_content: Buffer.alloc(bytes) };
    assert.deepEqual(readTensor('x', sent(proto)), { dtype, shape: [2] });
  }
});

test('tensor_content is a view of the message', () => {
  const proto = sent({ dtype: 'DT_UINT8', tensor_shape: vector(3), tensor_content: Buffer.from([1, 2, 3]) });
  const { data } = readTensor('x', proto) as InputTensor;
  assert.ok(data instanceof Uint8Array && data.buffer === proto.tensor_content.buffer);
  assert.deepEqual([...data], [1, 2, 3]);
});

test('an output can be written as tensor_content', () => {
  const data = Float32Array.of(1, 2, 3).subarray(1);
  const written = sent(writeTensor({ dtype: 'DT_FLOAT', shape: [2], data }, true));
  assert.deepEqual(written.tensor_content, Buffer.from(Float32Array.of(2, 3).buffer));
  assert.deepEqual(written.float_val, []);
});

const UNREADABLE: [string, object][] = [
  ['tensor_content that is too short', { dtype: 'DT_FLOAT', tensor_shape: vector(2), tensor_content: Buffer.alloc(4) }],
  ['a tensor without dtype', { tensor_shape: vector(1) }],
  ['an unsupported dtype', { dtype: 'DT_QINT8', tensor_shape: vector(1) }],
  [
    'complex numbers that are too short',
    { dtype: 'DT_COMPLEX64', tensor_shape: vector(1), tensor_content: Buffer.alloc(4) },
  ],
  ['a shape with an unknown size', { dtype: 'DT_FLOAT', tensor_shape: vector(-1) }],
  ['a shape of unknown rank', { dtype: 'DT_FLOAT', tensor_shape: { unknown_rank: true } }],
  [
    'strings with bytes left over',
    { dtype: 'DT_STRING', tensor_shape: vector(1), tensor_content: Buffer.from([1, 65, 66]) },
  ],
  ['strings that are cut', { dtype: 'DT_STRING', tensor_shape: vector(1), tensor_content: Buffer.from([2, 65]) }],
  ['strings with a cut length', { dtype: 'DT_STRING', tensor_shape: vector(1), tensor_content: Buffer.from([0x80]) }],
  [
    'fewer strings than the shape',
    { dtype: 'DT_STRING', tensor_shape: vector(2 ** 40), tensor_content: Buffer.from([0]) },
  ],
  [
    'one string for a shape of gigabytes',
    { dtype: 'DT_STRING', tensor_shape: vector(2 ** 28), string_val: [Buffer.from('a')] },
  ],
  ['a short list for a shape of gigabytes', { dtype: 'DT_FLOAT', tensor_shape: vector(2 ** 40), float_val: [1] }],
];
for (const [what, proto] of UNREADABLE) {
  test(`${what} is refused`, () => {
    const error = { code: 'INVALID_ARGUMENT', message: 'tensor parsing error: x' };
    assert.throws(() => readTensor('x', sent(proto)), error);
  });
}
