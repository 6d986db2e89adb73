/** Requests to TF-Serving's REST API that the gateway answers in another way on purpose (docs/protocols.md). */
import { echo, type RestRequest } from './rest-requests.ts';

/** `ours`: the gateway's answer. `theirs`: TF-Serving's. */
export type Difference = RestRequest & {
  readonly why: string;
  readonly ours: readonly [status: number, answer: RegExp];
  readonly theirs: readonly [status: number, answer: RegExp];
};

export const DIFFERENCES: readonly Difference[] = [
  ...(['float16', 'bfloat16', 'uint16'] as const).map((type) => ({
    ...echo(type, 'inputs', '[1,2]'),
    why: 'every type that the model takes can be sent',
    ours: [200, /\[1,2\]/] as const,
    theirs: [501, /Conversion of JSON Value: 1 to type/] as const,
  })),
  ...(['int8', 'int16', 'uint8'] as const).map((type) => ({
    ...echo(type, 'inputs', '[70000]'),
    why: 'an integer never wraps around',
    ours: [400, /inputs\[0\]: expected an integer .*got 70000/] as const,
    theirs: [200, /outputs/] as const,
  })),
  {
    ...echo('float32', 'inputs', '[1e39]'),
    why: 'a finite number never becomes infinite',
    ours: [400, /expected a number in the range of float32/],
    theirs: [200, /Infinity/],
  },
  {
    ...echo('float32', 'inputs', '[NaN]'),
    why: 'NaN is no JSON',
    ours: [400, /JSON Parse error/],
    theirs: [200, /NaN/],
  },
  {
    ...echo('float32', 'inputs', '["NaN","-Infinity"]'),
    why: 'numbers that are not finite are strings',
    ours: [200, /\["NaN","-Infinity"\]/],
    theirs: [400, /is not of expected type: float/],
  },
  {
    path: 'versions:predict',
    body: '{"instances":[1]} and more',
    why: 'nothing may follow the document',
    ours: [400, /JSON Parse error/],
    theirs: [200, /predictions/],
  },
  {
    path: 'versions:predict',
    body: { instances: [[1, 2]] },
    why: 'tensors have the shape of the signature: others can end the model server',
    ours: [400, /instances\[0\]: expected the shape \[\], got \[2\]/],
    theirs: [200, /predictions/],
  },
  {
    path: 'versions:predict',
    body: { inputs: [] },
    why: 'an empty batch is refused',
    ours: [400, /the batch is empty/],
    theirs: [200, /outputs/],
  },
  {
    ...echo('string', 'instances', '[{"b64":"/wA="}]'),
    why: 'strings that are no UTF-8 come back as base64',
    ours: [200, /\{"b64":"\/wA="\}/],
    theirs: [200, /\ufffd/],
  },
  {
    ...echo('string', 'instances', '[{"b64":"_wA="}]'),
    why: 'base64 of the URL alphabet is read too',
    ours: [200, /predictions/],
    theirs: [400, /Unable to base64 decode/],
  },
];
