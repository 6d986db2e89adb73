/** Requests for the models of make-models: tensors of every type, shape and encoding, and the usual mistakes. */

import type { ElementType } from '../../serving/embedded/testing/onnx-models.ts';

export type Case = { readonly method: string; readonly request: object };

type Element = {
  readonly tensorflow: string;
  readonly onnx: ElementType;
  readonly field: string;
  /** Values of the field, among them the limits of the type. */
  readonly values: readonly (number | string | boolean | Buffer)[];
  /** The values as tensor_content. */
  content(values: readonly unknown[]): Buffer;
};

const numbers = (array: { from(values: readonly unknown[]): { readonly buffer: ArrayBufferLike } }) => {
  return (values: readonly unknown[]) => Buffer.from(array.from(values).buffer as ArrayBuffer);
};
const integers = (array: { from(values: readonly bigint[]): { readonly buffer: ArrayBufferLike } }) => {
  return (values: readonly unknown[]) =>
    Buffer.from(array.from(values.map((value) => BigInt(`${value}`))).buffer as ArrayBuffer);
};
/** All lengths, each of one byte here, then all bytes. */
const strings = (values: readonly unknown[]) => {
  const texts = values as readonly Buffer[];
  return Buffer.concat([Buffer.from(texts.map(({ length }) => length)), ...texts]);
};

/** The types that ONNX and TensorFlow share. half and bfloat16 as their bits. */
export const TYPES: Readonly<Record<string, Element>> = {
  DT_FLOAT: {
    tensorflow: 'float32',
    onnx: 'FLOAT',
    field: 'float_val',
    values: [0, -0, 1.5, -3.25, 1e-45, 3.4028234663852886e38, Number.POSITIVE_INFINITY, Number.NaN],
    content: numbers(Float32Array),
  },
  DT_DOUBLE: {
    tensorflow: 'float64',
    onnx: 'DOUBLE',
    field: 'double_val',
    values: [0.1, -0, 5e-324, Number.MAX_VALUE, Number.NEGATIVE_INFINITY, Number.NaN],
    content: numbers(Float64Array),
  },
  DT_HALF: {
    tensorflow: 'float16',
    onnx: 'FLOAT16',
    field: 'half_val',
    values: [0x3c00, 0x8000, 0x0001, 0x7bff, 0xfc00, 0x7e00],
    content: numbers(Uint16Array),
  },
  DT_BFLOAT16: {
    tensorflow: 'bfloat16',
    onnx: 'BFLOAT16',
    field: 'half_val',
    values: [0x3f80, 0x8000, 0x0001, 0x7f7f, 0xff80, 0x4049],
    content: numbers(Uint16Array),
  },
  DT_INT8: {
    tensorflow: 'int8',
    onnx: 'INT8',
    field: 'int_val',
    values: [-128, 0, 127, 5],
    content: numbers(Int8Array),
  },
  DT_INT16: {
    tensorflow: 'int16',
    onnx: 'INT16',
    field: 'int_val',
    values: [-32_768, 0, 32_767, 5],
    content: numbers(Int16Array),
  },
  DT_INT32: {
    tensorflow: 'int32',
    onnx: 'INT32',
    field: 'int_val',
    values: [-(2 ** 31), 0, 2 ** 31 - 1, 5],
    content: numbers(Int32Array),
  },
  DT_INT64: {
    tensorflow: 'int64',
    onnx: 'INT64',
    field: 'int64_val',
    values: ['-9223372036854775808', '9007199254740993', '9223372036854775807', '0'],
    content: integers(BigInt64Array),
  },
  DT_UINT8: {
    tensorflow: 'uint8',
    onnx: 'UINT8',
    field: 'int_val',
    values: [0, 255, 128, 5],
    content: numbers(Uint8Array),
  },
  DT_UINT16: {
    tensorflow: 'uint16',
    onnx: 'UINT16',
    field: 'int_val',
    values: [0, 65_535, 5],
    content: numbers(Uint16Array),
  },
  DT_UINT32: {
    tensorflow: 'uint32',
    onnx: 'UINT32',
    field: 'uint32_val',
    values: [0, 2 ** 32 - 1, 5],
    content: numbers(Uint32Array),
  },
  DT_UINT64: {
    tensorflow: 'uint64',
    onnx: 'UINT64',
    field: 'uint64_val',
    values: ['0', '18446744073709551615', '9007199254740993'],
    content: integers(BigUint64Array),
  },
  DT_BOOL: {
    tensorflow: 'bool',
    onnx: 'BOOL',
    field: 'bool_val',
    values: [true, false, false],
    content: numbers(Uint8Array),
  },
  DT_STRING: {
    tensorflow: 'string',
    onnx: 'STRING',
    field: 'string_val',
    values: ['', 'é', 'a\0b', '\u{10fe41}'].map((text) => Buffer.from(text)).concat(Buffer.from([0xff, 0xd8, 0x80, 0])),
    content: strings,
  },
};

const SHAPES = [[], [0], [1], [3], [2, 2], [2, 0, 3], [1, 2, 1, 3]] as const;

function tensor(dtype: string, shape: readonly number[], rest: object = {}): object {
  return { dtype, tensor_shape: { dim: shape.map((size) => ({ size })) }, ...rest };
}

function predict(name: string, inputs: object, { spec, filter = [] }: { spec?: object; filter?: string[] } = {}): Case {
  return { method: 'Predict', request: { model_spec: { name, ...spec }, inputs, output_filter: filter } };
}

function echo(dtype: string, x: object): Case {
  return predict('dtypes', { x }, { spec: { signature_name: `echo_${TYPES[dtype]?.tensorflow}` } });
}

/** Each type in each shape: as content, as values, with too few, none and too many of them. */
export function tensorCases(): Case[] {
  return Object.entries(TYPES).flatMap(([dtype, { field, values, content }]) =>
    SHAPES.flatMap((shape) => {
      const count = shape.reduce((product: number, size) => product * size, 1);
      const sent = (length: number) => Array.from({ length }, (_, at) => values[at % values.length]);
      return [
        { tensor_content: content(sent(count)) },
        { [field]: sent(count) },
        { [field]: sent(Math.min(count, 2)) },
        {},
        { [field]: sent(count + 1) },
      ].map((rest) => echo(dtype, tensor(dtype, shape, rest)));
    }),
  );
}

/** Types that no ONNX model has. The first two are named in the error. */
const OTHERS = ['DT_COMPLEX64', 'DT_COMPLEX128', 'DT_INVALID', 'DT_QINT8', 'DT_QUINT16', 'DT_RESOURCE', 'DT_INT4'];

export function mistakes(): Case[] {
  const types = [...Object.keys(TYPES), ...OTHERS];
  const wrongTypes = Object.keys(TYPES).flatMap((wanted) =>
    types.filter((sent) => sent !== wanted).map((sent) => echo(wanted, tensor(sent, [1]))),
  );
  const wrongContent = Object.keys(TYPES).flatMap((dtype) =>
    [1, 9, 17].map((length) => echo(dtype, tensor(dtype, [3], { tensor_content: Buffer.alloc(length, 0x81) }))),
  );
  const x = tensor('DT_FLOAT', [1]);
  const wrongShapes = [
    { dtype: 'DT_FLOAT', tensor_shape: { unknown_rank: true } },
    tensor('DT_FLOAT', [-1]),
    tensor('DT_FLOAT', [2, -2]),
  ].map((one) => echo('DT_FLOAT', one));
  const inputs = (...names: string[]) => Object.fromEntries(names.map((name) => [name, x]));
  const five = ['bool_in', 'float16_in', 'float64_in', 'int32_in', 'uint8_in'];
  return [
    ...wrongTypes,
    ...wrongContent,
    ...wrongShapes,
    ...[inputs(), inputs('z'), inputs('x', 'z')].map((sent) => predict('versions', sent)),
    ...[inputs(), inputs('x'), inputs(...five.slice(1)), inputs(...five.slice(1), 'z'), inputs(...five, 'z')].map(
      (sent) => predict('dtypes', sent),
    ),
    // All five are floats; the first in the order of their names is reported.
    predict('dtypes', inputs(...five)),
    ...[['z'], ['y', 'y'], ['y', 'z'], ['']].map((filter) => predict('versions', { x }, { filter })),
    ...WRONG_SPECS.map((spec) => predict('versions', { x }, { spec })),
    { method: 'Predict', request: { inputs: { x } } },
  ];
}

const WRONG_SPECS = [
  { name: '' },
  { name: 'none' },
  { name: 'n'.repeat(1100) },
  { version: { value: 9 } },
  { version: { value: 0 } },
  { version_label: 'none' },
  { version_label: '' },
  { name: 'none', version_label: 'stable' },
  { name: 'none', version: { value: 1 } },
  { signature_name: 'none' },
];

type Features = Readonly<Record<string, object>>;
const floats = (...value: number[]) => ({ float_list: { value } });

function examples(
  method: string,
  sent: readonly Features[],
  { context, spec }: { context?: Features; spec?: object } = {},
): Case {
  const list = sent.map((feature) => ({ features: { feature } }));
  const input = context
    ? { example_list_with_context: { examples: list, context: { features: { feature: context } } } }
    : { example_list: { examples: list } };
  return { method, request: { model_spec: { name: 'examples', ...spec }, input } };
}

export function exampleCases(): Case[] {
  const rows: (readonly Features[])[] = [
    [{ x: floats(1) }],
    [{ x: floats(1) }, { x: floats(-2.5) }, { x: floats(0) }],
    [{ x: floats(1), other: { bytes_list: { value: [Buffer.from('a')] } } }],
    [],
    [{}],
    [{ x: floats(1) }, { y: floats(1) }],
    [{ x: {} }],
    [{ x: floats(1, 2) }],
    [{ x: floats(1) }, { x: floats() }],
    [{ x: { int64_list: { value: [1] } } }],
    [{ x: floats(1) }, { x: { bytes_list: { value: [Buffer.from('a')] } } }],
  ];
  const methods = [
    ['Classify', 'classify'],
    ['Regress', 'regress'],
    ['Regress', ''],
  ] as const;
  return methods.flatMap(([method, signature_name]) => [
    ...rows.map((sent) => examples(method, sent, { spec: { signature_name } })),
    examples(method, [{ x: floats(1) }, {}], { spec: { signature_name }, context: { x: floats(3) } }),
    ...WRONG_SPECS.filter(({ signature_name: other }) => other === undefined || signature_name !== '').map((spec) =>
      examples(method, [{ x: floats(1) }], { spec: { signature_name, ...spec } }),
    ),
    examples(method, [{ x: floats(1) }], { spec: { signature_name: method === 'Classify' ? 'regress' : 'classify' } }),
    { method, request: { input: { example_list: { examples: [] } } } },
    { method, request: { model_spec: { name: 'examples', signature_name } } },
  ]);
}

export function lookUpCases(): Case[] {
  const specs = [{}, { version: { value: 2 } }, { version_label: 'stable' }, ...WRONG_SPECS];
  return [
    ...specs.map((spec) => predict('versions', { x: tensor('DT_FLOAT', [2], { float_val: [1] }) }, { spec })),
    ...specs.map((spec) => ({ method: 'GetModelStatus', request: { model_spec: { name: 'versions', ...spec } } })),
    ...[[], ['other'], ['signature_def', 'other']].map((metadata_field) => ({
      method: 'GetModelMetadata',
      request: { model_spec: { name: 'versions' }, metadata_field },
    })),
    ...WRONG_SPECS.filter(({ signature_name: signature }) => signature === undefined).map((spec) => ({
      method: 'GetModelMetadata',
      request: { model_spec: { name: 'versions', ...spec }, metadata_field: ['signature_def'] },
    })),
    { method: 'GetModelMetadata', request: { metadata_field: ['signature_def'] } },
    { method: 'GetModelStatus', request: {} },
    { method: 'HandleReloadConfigRequest', request: {} },
    ...WRONG_LISTS.map((config) => ({
      method: 'HandleReloadConfigRequest',
      request: { config: { model_config_list: { config } } },
    })),
  ];
}

const GOOD = { name: 'm', base_path: '/m', model_platform: 'tensorflow' };
/** Lists of models that are refused before anything changes. */
const WRONG_LISTS = [
  [GOOD, GOOD],
  [{ ...GOOD, base_path: 'm' }],
  [{ ...GOOD, base_path: '' }],
  [{ ...GOOD, model_platform: '' }],
  [{ ...GOOD, model_platform: 'onnx' }],
  [
    { ...GOOD, model_platform: '' },
    { ...GOOD, name: 'n', base_path: 'n' },
  ],
];
