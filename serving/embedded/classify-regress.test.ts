import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { status } from '@grpc/grpc-js';
import type { ClassificationResponse, RegressionResponse } from './protocol.ts';
import { addVersion, echoModel, halfPlusTwoModel, onnxModel, pairModel, signModel } from './testing/onnx-models.ts';
import { refusal, startServer, temporaryFolder } from './testing/server.ts';

const folder = temporaryFolder({ after });
const scores = onnxModel({
  inputs: [{ name: 'scores_in', shape: ['n', 'k'] }],
  outputs: [{ name: 'scores', shape: ['n', 'k'] }],
  nodes: [['Identity', ['scores_in'], 'scores']],
});
const total = onnxModel({
  inputs: [{ name: 'x', shape: ['n'] }],
  outputs: [{ name: 'outputs', shape: [1] }],
  nodes: [['ReduceMax', ['x'], 'outputs']],
});
addVersion(join(folder, 'm'), 2, halfPlusTwoModel(), {
  classify: signModel(),
  scores,
  total,
  pair: pairModel(),
  echo: echoModel('FLOAT', ['n']),
});
const flags = ['--model_name=m', `--model_base_path=${join(folder, 'm')}`, '--enable_batching'];
const { client } = await startServer({ after }, folder, ...flags);

type Options = { readonly spec?: object; readonly values?: readonly (readonly number[])[]; readonly feature?: string };
function request({ spec = {}, values = [[1], [3]], feature = 'x' }: Options) {
  const examples = values.map((value) => ({ features: { feature: { [feature]: { float_list: { value } } } } }));
  return { model_spec: { name: 'm', ...spec }, input: { example_list: { examples } } };
}
const classify = (options: Options) => client.call<ClassificationResponse>('Classify', request(options));
const regress = (options: Options) => client.call<RegressionResponse>('Regress', request(options));

test('Regress answers a number for each example', async () => {
  assert.deepEqual(await regress({}), {
    model_spec: { name: 'm', version: { value: '2' }, signature_name: 'serving_default' },
    result: { regressions: [{ value: 2.5 }, { value: 3.5 }] },
  });
});

test('Classify answers labels and scores for each example', async () => {
  const { model_spec: spec, result } = await classify({ spec: { signature_name: 'classify' } });
  assert.deepEqual(spec, { name: 'm', version: { value: '2' }, signature_name: 'classify' });
  const found = result.classifications.map(({ classes }) =>
    classes.map(({ label, score }) => [label, Number(score?.toFixed(4))]),
  );
  assert.deepEqual(found, [
    [
      ['positive', 0.8808],
      ['negative', 0.1192],
    ],
    [
      ['positive', 0.9975],
      ['negative', 0.0025],
    ],
  ]);
});

test('scores alone have no labels', async () => {
  const spec = { signature_name: 'scores' };
  const { result } = await classify({ spec, feature: 'scores_in', values: [[0.5, 0.25, 0.25]] });
  assert.deepEqual(
    result.classifications[0]?.classes.map(({ label, score }) => [label, score]),
    [
      ['', 0.5],
      ['', 0.25],
      ['', 0.25],
    ],
  );
});

const REFUSED: [keyof typeof status, string | RegExp, () => Promise<unknown>][] = [
  ['NOT_FOUND', 'Servable not found for request: Latest(none)', () => regress({ spec: { name: 'none' } })],
  ['INVALID_ARGUMENT', 'Missing ModelSpec', () => client.call('Regress', {})],
  ['INVALID_ARGUMENT', 'Missing ModelSpec', () => client.call('Classify', {})],
  ['INVALID_ARGUMENT', 'Input is empty.', () => regress({ values: [] })],
  [
    'INVALID_ARGUMENT',
    'No signature was found with the name: none',
    () => classify({ spec: { signature_name: 'none' } }),
  ],
  ['INVALID_ARGUMENT', 'Expected one output Tensor.', () => regress({ spec: { signature_name: 'classify' } })],
  [
    'INVALID_ARGUMENT',
    'No regression outputs found in SignatureDef: inputs {\n  key: "x"\n  value {\n    name: "x:0"\n    dtype: DT_FLOAT\n' +
      '    tensor_shape {\n      dim {\n        size: -1\n      }\n    }\n  }\n}\noutputs {\n  key: "y"\n  value {\n' +
      '    name: "y:0"\n    dtype: DT_FLOAT\n    tensor_shape {\n      dim {\n        size: -1\n      }\n    }\n  }\n}\n' +
      'method_name: "tensorflow/serving/predict"\n',
    () => regress({ spec: { signature_name: 'echo' } }),
  ],
  [
    'INVALID_ARGUMENT',
    /^Expected classification signature outputs to contain at least one of "classes" or "scores". Signature was: inputs/,
    () => classify({ spec: { signature_name: 'pair' } }),
  ],
  [
    'INVALID_ARGUMENT',
    'Input batch size did not match output batch size: 2 vs. 1',
    () => regress({ spec: { signature_name: 'total' } }),
  ],
  ['INVALID_ARGUMENT', /Number of float values != expected/, () => regress({ values: [[1, 2]] })],
];
for (const [code, text, work] of REFUSED) {
  test(`refused: ${String(text).slice(0, 60)}`, async () => {
    const wanted = typeof text === 'string' ? refusal(status[code], text) : { code: status[code], details: text };
    await assert.rejects(work(), wanted);
  });
}
