/** Tabular models over gRPC: the embedded server and TensorFlow give the same answers to their parity samples. */
import assert from 'node:assert/strict';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadSync, type MessageTypeDefinition } from '@grpc/proto-loader';
import type { SignatureDef, TensorProto } from '../../serving/embedded/protocol.ts';
import { startServer, TestClient, temporaryFolder } from '../../serving/embedded/testing/server.ts';
import { findPython, startTensorFlowServing } from './server.ts';

const MODELS = fileURLToPath(new URL('../../serving/models', import.meta.url));
const NAMES = ['churn', 'churn-synthetic', 'credit', 'ride-duration'] as const;
/** The results that the original course published. */
const PUBLISHED = { churn: [0.36275], credit: [0.902, 0.14] } as const;

type Row = Readonly<Record<string, string | number>>;
type Samples = {
  readonly tolerance: number;
  readonly instances: readonly Row[];
  readonly outputs: readonly Readonly<Record<string, number | boolean>>[];
};
type Outputs = ReadonlyMap<string, readonly (number | boolean)[]>;

function samplesOf(name: string): Samples {
  return JSON.parse(readFileSync(join(MODELS, name, 'parity', '1.json'), 'utf8')) as Samples;
}

/** The value field and its conversion for each dtype. */
const FIELDS: Readonly<Record<string, (values: readonly (string | number)[]) => Partial<TensorProto>>> = {
  DT_STRING: (values) => ({ string_val: values.map((value) => Buffer.from(String(value))) }),
  DT_INT64: (values) => ({ int64_val: values.map(String) }),
  DT_FLOAT: (values) => ({ float_val: values.map(Number) }),
};

const PROTOS = fileURLToPath(new URL('../../protos', import.meta.url));
const FILE = 'tensorflow_serving/apis/get_model_metadata.proto';
const definitions = loadSync(FILE, { includeDirs: [PROTOS], keepCase: true, enums: String, defaults: true });
type SignatureDefMap = { readonly signature_def: Readonly<Record<string, SignatureDef>> };
const map = definitions['tensorflow.serving.SignatureDefMap'] as MessageTypeDefinition<object, SignatureDefMap>;

async function signatureOf(client: TestClient, name: string): Promise<SignatureDef> {
  const request = { model_spec: { name }, metadata_field: ['signature_def'] };
  type Response = { readonly metadata: Readonly<Record<string, { readonly value: Buffer }>> };
  const { metadata } = await client.call<Response>('GetModelMetadata', request);
  const found = map.deserialize(metadata.signature_def?.value ?? Buffer.alloc(0)).signature_def.serving_default;
  assert.ok(found, `${name} has no serving_default`);
  return found;
}

/** Sends the rows: each input is a tensor [n] of the dtype in the signature. Resolves to the output values by name. */
async function ask(client: TestClient, name: string, rows: readonly Row[]): Promise<Outputs> {
  const { inputs } = await signatureOf(client, name);
  assert.deepEqual(Object.keys(inputs).sort(), Object.keys(rows[0] ?? {}).sort());
  const tensors = Object.entries(inputs).map(([input, { dtype }]) => {
    const values = FIELDS[dtype]?.(rows.map((row) => row[input] as string | number));
    return [input, { dtype, tensor_shape: { dim: [{ size: rows.length }] }, ...values }];
  });
  const { outputs } = await client.predict(name, Object.fromEntries(tensors));
  return new Map(
    Object.entries(outputs).map(([output, tensor]) => {
      const shape = tensor.tensor_shape?.dim.map(({ size }) => Number(size));
      assert.deepEqual(shape, name === 'ride-duration' ? [rows.length, 1] : [rows.length]);
      return [output, tensor.dtype === 'DT_BOOL' ? tensor.bool_val : tensor.float_val];
    }),
  );
}

function assertClose(actual: unknown, wanted: unknown, tolerance: number, where: string): void {
  // Decisions are 0 or 1, so a wrong one differs by 1.
  const distance = Math.abs(Number(actual) - Number(wanted));
  assert.ok(distance <= tolerance, `${where}: ${actual} instead of ${wanted}, a difference of ${distance}`);
}

type Cleanups = (() => void | Promise<void>)[];
const python = await findPython();
const config = (folder: string) =>
  NAMES.map((name) => `config { name: "${name}" base_path: "${join(folder, name)}" model_platform: "tensorflow" }`);

const SERVERS = {
  'the embedded server': async (folder: string, cleanups: Cleanups) => {
    const file = join(folder, 'models.config');
    writeFileSync(file, `model_config_list { ${config(folder).join(' ')} }`);
    const { client } = await startServer(
      { after: (work) => cleanups.push(work) },
      folder,
      `--model_config_file=${file}`,
    );
    return client;
  },
  TensorFlow: async (folder: string, cleanups: Cleanups) => {
    assert.ok('program' in python);
    const server = await startTensorFlowServing(python.program, folder, { names: NAMES, flags: [] });
    const client = new TestClient(server.target);
    cleanups.push(() => client.close(), server.stop);
    return client;
  },
};

for (const [server, start] of Object.entries(SERVERS)) {
  const skip = server === 'TensorFlow' && 'missing' in python ? python.missing : false;
  describe(`tabular models over gRPC on ${server}`, { skip }, () => {
    let client: TestClient;
    const folder = temporaryFolder({ after });
    const cleanups: Cleanups = [];
    after(() => Promise.all(cleanups.map((cleanup) => cleanup())));
    before(async () => {
      for (const name of NAMES) cpSync(join(MODELS, name), join(folder, name), { recursive: true });
      client = await start(folder, cleanups);
    });

    for (const name of NAMES) {
      test(`${name} answers its samples, in one batch and one alone`, async () => {
        const { tolerance, instances, outputs } = samplesOf(name);
        assert.ok(instances.length >= 40 && tolerance <= 1e-6);
        const together = await ask(client, name, instances);
        const alone = await ask(client, name, instances.slice(0, 1));
        for (const [place, wanted] of outputs.entries()) {
          for (const [output, value] of Object.entries(wanted)) {
            assertClose(together.get(output)?.[place], value, tolerance, `${name} ${place} ${output}`);
          }
        }
        for (const [output, [value]] of alone) assertClose(value, outputs[0]?.[output], tolerance, `${output} alone`);
      });
    }

    test('the models give the published results of the course', async () => {
      for (const [name, published] of Object.entries(PUBLISHED)) {
        const answers = (await ask(client, name, samplesOf(name).instances)).get(`${name}_probability`);
        for (const [place, value] of published.entries()) {
          const digits = String(value).length - 2;
          assert.equal(Number(Number(answers?.[place]).toFixed(digits)), value);
        }
      }
    });

    test('the trip of the course takes about the minutes that its miles take', async () => {
      const trip = { PULocationID: 100, DOLocationID: 102, trip_distance: 30 };
      const [minutes] = (await ask(client, 'ride-duration', [trip])).get('ride_duration') ?? [];
      assert.ok(Math.abs(Number(minutes) - (5 + 3.2 * 30)) < 10, `${minutes}`);
    });

    test('unknown locations count as 0, also above 2^53', async () => {
      const trips = [
        [0, 0],
        [264, -1],
        ['9007199254740993', '-9223372036854775808'],
      ].map(([from = 0, to = 0]) => ({ PULocationID: from, DOLocationID: to, trip_distance: 2 }));
      const minutes = (await ask(client, 'ride-duration', trips)).get('ride_duration');
      assert.equal(minutes?.length, 3);
      assert.equal(new Set(minutes).size, 1);
    });

    test('an unknown category counts as 0', async () => {
      const row = { job: 'astronaut', duration: 0, poutcome: 'never heard of' };
      const [probability] = (await ask(client, 'credit', [row])).get('credit_probability') ?? [];
      assertClose(probability, 1 / (1 + Math.exp(1.9649122891327522)), 1e-6, 'the intercept alone');
    });
  });
}
