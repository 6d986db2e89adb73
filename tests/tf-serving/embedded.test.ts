/** The same requests to the embedded server and to TensorFlow: the same codes, texts and answers. Skipped without it. */
import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type ServiceError, status } from '@grpc/grpc-js';
import { loadSync, type MessageTypeDefinition } from '@grpc/proto-loader';
import type { SignatureDef } from '../../serving/embedded/protocol.ts';
import {
  addModel,
  addVersion,
  type ElementType,
  echoModel,
  halfPlusTwoModel,
  onnxModel,
  signModel,
} from '../../serving/embedded/testing/onnx-models.ts';
import { startServer, TestClient, temporaryFolder } from '../../serving/embedded/testing/server.ts';
import { type Case, exampleCases, lookUpCases, mistakes, TYPES, tensorCases } from './requests.ts';
import { findPython, makeModels, startTensorFlowServing } from './server.ts';

const NAMES = ['dtypes', 'examples', 'versions'] as const;
const python = await findPython();

type SignatureDefMap = { readonly signature_def: Readonly<Record<string, SignatureDef>> };
const includeDirs = [fileURLToPath(new URL('../../protos', import.meta.url))];
const definitions = loadSync('tensorflow_serving/apis/get_model_metadata.proto', { includeDirs, keepCase: true });
const map = definitions['tensorflow.serving.SignatureDefMap'] as MessageTypeDefinition<object, SignatureDefMap>;

/** ONNX models with the signatures and the arithmetic of the SavedModels that make-models writes. */
function makeOnnxModels(folder: string): void {
  const inputs: [string, ElementType][] = [
    ['int32', 'INT32'],
    ['uint8', 'UINT8'],
    ['bool', 'BOOL'],
    ['float64', 'DOUBLE'],
    ['float16', 'FLOAT16'],
  ];
  const values = (end: string) => inputs.map(([name, type]) => ({ name: `${name}_${end}`, type, shape: ['n'] }));
  const five = onnxModel({
    inputs: values('in'),
    outputs: values('out'),
    nodes: inputs.map(([name]) => ['Identity', [`${name}_in`], `${name}_out`]),
  });
  const echoes = Object.values(TYPES).map(({ tensorflow, onnx }) => [`echo_${tensorflow}`, echoModel(onnx)]);
  addVersion(join(folder, 'dtypes'), 1, five, Object.fromEntries(echoes));
  for (const version of [1, 2, 3]) addVersion(join(folder, 'versions'), version, addModel(version));
  addVersion(join(folder, 'examples'), 1, halfPlusTwoModel(), { regress: halfPlusTwoModel(), classify: signModel() });
}

type Outcome = { readonly answer: object } | { readonly code: string; readonly details: string };

async function ask(client: TestClient, { method, request }: Case): Promise<Outcome> {
  try {
    return { answer: comparableAnswer(await client.call<object>(method, request)) };
  } catch (error) {
    const { code, details } = error as ServiceError;
    return { code: status[code], details: comparable(details) };
  }
}

/**
 * With scores to six digits, and the shape of a scalar as a message: the server on TensorFlow leaves out the empty one,
 * which means the same.
 */
function comparableAnswer(answer: object): object {
  const change = (key: string, value: unknown) => {
    if (key === 'score') return Number(Number(value).toPrecision(6));
    return key === 'tensor_shape' ? (value ?? { dim: [], unknown_rank: false }) : exact(value);
  };
  return JSON.parse(JSON.stringify(answer, change));
}

/** JSON has no NaN, infinities and negative zeros. */
function exact(value: unknown): unknown {
  return typeof value === 'number' && !Number.isSafeInteger(value)
    ? String(value)
    : Object.is(value, -0)
      ? '-0'
      : value;
}

/** Without what a graph is made of: the names of its tensors and nodes, and its signature as text. */
function comparable(details: string): string {
  // HTTP/2 forbids a field that ends with a space, and TensorFlow's gRPC does not escape it: the client sees no text.
  if (details.endsWith(' ')) return '';
  return details
    .replaceAll(/\(feed name: [^)]*\)/g, '(feed name)')
    .replace(/\n\t \[\[.*$/s, '')
    .replace(/(Signature was|in SignatureDef): inputs.*$/s, '$1');
}

describe('the embedded server beside TensorFlow', { skip: 'missing' in python ? python.missing : false }, () => {
  const cleanups: (() => void | Promise<void>)[] = [];
  after(() => Promise.all(cleanups.map((cleanup) => cleanup())));
  const folder = temporaryFolder({ after });
  let embedded: TestClient;
  let tensorflow: TestClient;

  before(async () => {
    assert.ok('program' in python);
    const saved = await makeModels(python.program, ...NAMES);
    cleanups.push(() => rmSync(saved, { recursive: true }));
    const server = await startTensorFlowServing(python.program, saved, { names: NAMES, flags: [] });
    tensorflow = new TestClient(server.target);
    cleanups.push(() => tensorflow.close(), server.stop);
    makeOnnxModels(folder);
    const config = readFileSync(join(saved, 'models.config'), 'utf8').replaceAll(saved, folder);
    const file = join(folder, 'models.config');
    writeFileSync(file, config);
    const flags = ['--allow_version_labels_for_unavailable_models', `--model_config_file=${file}`];
    const hooks = { after: (work: () => void | Promise<void>) => cleanups.push(work) };
    ({ client: embedded } = await startServer(hooks, folder, ...flags));
  });

  const SETS: Record<string, readonly Case[]> = {
    'tensors of every type, shape and encoding': tensorCases(),
    'mistakes in Predict': mistakes(),
    'Classify and Regress': exampleCases(),
    'metadata and status': lookUpCases(),
  };
  for (const [name, cases] of Object.entries(SETS)) {
    test(`${name}: ${cases.length} requests`, async () => {
      let refused = 0;
      for (const one of cases) {
        const [ours, theirs] = await Promise.all([ask(embedded, one), ask(tensorflow, one)]);
        assert.deepEqual(ours, theirs, JSON.stringify(one));
        if ('code' in theirs) refused++;
      }
      assert.ok(refused < cases.length || name.startsWith('mistakes'), 'some are answered');
    });
  }

  test('signatures have the same inputs and outputs', async () => {
    const signatures = async (client: TestClient, name: string) => {
      const request = { model_spec: { name }, metadata_field: ['signature_def'] };
      type Response = { metadata: { signature_def: { value: Buffer } } };
      const { metadata } = await client.call<Response>('GetModelMetadata', request);
      const all = Object.entries(map.deserialize(metadata.signature_def.value).signature_def);
      const infos = (values: SignatureDef['inputs']) =>
        Object.fromEntries(Object.entries(values).map(([key, value]) => [key, { ...value, name: '' }]));
      return Object.fromEntries(
        all
          // The one initialises the variables of a SavedModel. ONNX has no complex numbers for the other.
          .filter(([key]) => key !== '__saved_model_init_op' && key !== 'echo_complex64')
          .map(([key, { inputs, outputs }]) => [key, { inputs: infos(inputs), outputs: infos(outputs) }]),
      );
    };
    for (const name of ['dtypes', 'versions']) {
      const found = await signatures(embedded, name);
      assert.ok(Object.keys(found).length > 0);
      assert.deepEqual(found, await signatures(tensorflow, name));
    }
  });

  test('known difference: TensorFlow takes a rank that the signature does not have', async () => {
    const x = { dtype: 'DT_FLOAT', tensor_shape: { dim: [{ size: 1 }, { size: 1 }] }, float_val: [1] };
    const one: Case = { method: 'Predict', request: { model_spec: { name: 'versions' }, inputs: { x } } };
    assert.ok('answer' in (await ask(tensorflow, one)));
    assert.deepEqual(await ask(embedded, one), {
      code: 'INVALID_ARGUMENT',
      details: 'Input x has shape [1,1], the model takes [?]',
    });
  });
});
