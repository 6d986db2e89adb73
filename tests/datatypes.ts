/** Every datatype of the Open Inference Protocol, and a model that answers its inputs. */
import type { OnPredict } from './model-server.ts';

/** Two elements of each datatype: as the list that holds them over gRPC, as JSON, and raw in hexadecimal. */
export const TYPES = {
  BOOL: { dtype: 'DT_BOOL', list: { bool_contents: [true, false] }, raw: '0100', json: '[true,false]' },
  UINT8: { dtype: 'DT_UINT8', list: { uint_contents: [0, 255] }, raw: '00ff', json: '[0,255]' },
  UINT16: { dtype: 'DT_UINT16', list: { uint_contents: [1, 65_535] }, raw: '0100ffff', json: '[1,65535]' },
  UINT32: {
    dtype: 'DT_UINT32',
    list: { uint_contents: [1, 4_294_967_295] },
    raw: '01000000ffffffff',
    json: '[1,4294967295]',
  },
  UINT64: {
    dtype: 'DT_UINT64',
    list: { uint64_contents: ['18446744073709551615', '1'] },
    raw: 'ffffffffffffffff0100000000000000',
    json: '[18446744073709551615,1]',
  },
  INT8: { dtype: 'DT_INT8', list: { int_contents: [-128, 127] }, raw: '807f', json: '[-128,127]' },
  INT16: { dtype: 'DT_INT16', list: { int_contents: [-1, 256] }, raw: 'ffff0001', json: '[-1,256]' },
  INT32: { dtype: 'DT_INT32', list: { int_contents: [-1, 1] }, raw: 'ffffffff01000000', json: '[-1,1]' },
  INT64: {
    dtype: 'DT_INT64',
    list: { int64_contents: ['9007199254740993', '-1'] },
    raw: '0100000000002000ffffffffffffffff',
    json: '[9007199254740993,-1]',
  },
  FP32: { dtype: 'DT_FLOAT', list: { fp32_contents: [1.5, -0.25] }, raw: '0000c03f000080be', json: '[1.5,-0.25]' },
  FP64: {
    dtype: 'DT_DOUBLE',
    list: { fp64_contents: [1.5, 0] },
    raw: '000000000000f83f0000000000000000',
    json: '[1.5,0]',
  },
  FP16: { dtype: 'DT_HALF', list: undefined, raw: '003c00c0', json: '[1,-2]' },
  BF16: { dtype: 'DT_BFLOAT16', list: undefined, raw: '803f00c0', json: undefined },
  BYTES: {
    dtype: 'DT_STRING',
    list: { bytes_contents: [Buffer.from('ab'), Buffer.from([0, 255])] },
    raw: '0200000061620200000000ff',
    json: '["ab",{"b64":"AP8="}]',
  },
} as const;
export type Type = keyof typeof TYPES;
export const ALL = Object.keys(TYPES) as Type[];
/** Those that have lists. */
export const LISTED = ALL.filter((type) => TYPES[type].list);

const info = (prefix: string, types: readonly Type[]) =>
  Object.fromEntries(types.map((type) => [`${prefix}_${type}`, { dtype: TYPES[type].dtype, shape: [-1] }]));
/** A signature with an input x_TYPE and an output y_TYPE for each type. */
export const signature = (types: readonly Type[]) => ({ inputs: info('x', types), outputs: info('y', types) });

/** The outputs are the inputs, as they came. */
export const echo: OnPredict = ({ raw }) => {
  const { inputs } = raw.request as { inputs: Readonly<Record<string, object>> };
  return Object.fromEntries(Object.entries(inputs).map(([name, tensor]) => [name.replace('x', 'y'), tensor]));
};
