/** Records to POST /predict: the committed models of tables, on the embedded server and on TensorFlow, and their clients. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { temporaryFolder } from '../serving/embedded/testing/server.ts';
import { predict, type RunningGateway, startGateway } from './gateway.ts';
import { findPython, startTensorFlowServing } from './tf-serving/server.ts';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('..', import.meta.url));
const MODELS = path.join(ROOT, 'serving/models');
const NAMES = ['churn', 'credit', 'ride-duration'] as const;
const TOLERANCE = 1e-6;
const RIDE = { PULocationID: 100, DOLocationID: 102, trip_distance: 30 };

type Row = Readonly<Record<string, string | number | boolean>>;
type Samples = { readonly instances: readonly Row[]; readonly outputs: readonly Row[] };

const samplesOf = (name: string) =>
  JSON.parse(readFileSync(path.join(MODELS, name, 'parity/1.json'), 'utf8')) as Samples;

/** The examples of the models' authors, where they are there. */
function examplesOf(name: string): Samples | undefined {
  const file = path.join(ROOT, '../shared/data/tabular', `${name}.json`);
  if (!existsSync(file)) return undefined;
  type Example = Row & { readonly instance: Row };
  const { examples } = JSON.parse(readFileSync(file, 'utf8')) as { examples: readonly Example[] };
  const outputs = examples.map((example) => ({
    [`${name}_probability`]: example[`${name}_probability`] ?? Number.NaN,
    [name]: example[name] ?? Number.NaN,
  }));
  return { instances: examples.map(({ instance }) => instance), outputs };
}

function assertClose(actual: Row | undefined, wanted: Row | undefined, place: string): void {
  for (const [name, value] of Object.entries(wanted ?? assert.fail())) {
    const given = actual?.[name];
    assert.equal(typeof given, typeof value, `${place} ${name}: ${given}`);
    // Decisions are 0 or 1, so a wrong one differs by 1. Durations are some minutes.
    const error = Math.abs(Number(given) - Number(value)) / Math.max(1, Math.abs(Number(value)));
    assert.ok(error <= TOLERANCE, `${place} ${name}: ${given} instead of ${value}`);
  }
}

/** The outputs of a prediction by name: the only one is not named, and may be in a list. */
function named(prediction: unknown, wanted: Row): Row {
  if (typeof prediction === 'object' && prediction !== null && !Array.isArray(prediction)) return prediction as Row;
  const [name = ''] = Object.keys(wanted);
  return { [name]: [prediction].flat()[0] as number };
}

/** The outputs in columns at one row. */
function at(columns: unknown, row: number): unknown {
  if (Array.isArray(columns)) return columns[row];
  return Object.fromEntries(Object.entries(columns as object).map(([name, column]) => [name, column[row]]));
}

function pick(row: Row, { ...names }: Row): Row {
  return Object.fromEntries(Object.entries(row).filter(([name]) => name in names));
}

/** A Python that has the package `requests`: that of training, or `python3`. */
async function findRequests(): Promise<string | undefined> {
  const programs = [path.join(ROOT, '.venv/bin/python'), process.env.TENSORGATE_TF_PYTHON ?? '', 'python3'];
  for (const program of programs.filter((one) => one !== '')) {
    const found = await run(program, ['-c', 'import requests']).catch(() => undefined);
    if (found) return program;
  }
  return undefined;
}

const python = await findPython();
const pythonWithRequests = await findRequests();
type Cleanup = () => unknown;
const SERVERS = {
  'the embedded server': async () => ({}),
  TensorFlow: async (folder: string, cleanups: Cleanup[]) => {
    assert.ok('program' in python);
    const server = await startTensorFlowServing(python.program, folder, { names: NAMES, flags: [] });
    cleanups.push(server.stop);
    return { TF_SERVING_HOST: server.target };
  },
};

for (const [server, start] of Object.entries(SERVERS)) {
  const skip = server === 'TensorFlow' && 'missing' in python ? python.missing : false;
  describe(`records on ${server}`, { skip }, () => {
    let gateway: RunningGateway;
    const cleanups: Cleanup[] = [];
    const folder = temporaryFolder({ after });
    after(async () => {
      assert.equal(await gateway.stop(), 0);
      for (const cleanup of cleanups) await cleanup();
    });
    before(async () => {
      for (const name of NAMES) cpSync(path.join(MODELS, name), path.join(folder, name), { recursive: true });
      gateway = await startGateway({ MODELS: folder, READY_WHEN: 'all', ...(await start(folder, cleanups)) });
      await gateway.ready();
    });

    /** Asserts 200 and returns the parsed body. */
    async function ask<T>(name: string, body: unknown): Promise<T> {
      const response = await predict(gateway, body, `?model=${name}`);
      const text = await response.text();
      assert.equal(response.status, 200, text);
      assert.equal(response.headers.get('x-model-version'), '1');
      return JSON.parse(text) as T;
    }

    for (const name of NAMES) {
      test(`${name} answers every sample, together and one by one`, async (t) => {
        for (const { instances, outputs } of [samplesOf(name), examplesOf(name) ?? { instances: [], outputs: [] }]) {
          if (instances.length === 0) {
            t.diagnostic('there are no examples next to the repository');
            continue;
          }
          const { predictions } = await ask<{ predictions: Row[] }>(name, { instances });
          assert.equal(predictions.length, instances.length);
          for (const [index, wanted] of outputs.entries()) {
            assertClose(predictions[index], wanted, `${name} ${index}`);
            assertClose(await ask<Row>(name, instances[index]), wanted, `${name} ${index} alone`);
          }
        }
      });
    }

    test("TF-Serving's REST API gives the same outputs, in rows and in columns", async () => {
      for (const name of NAMES) {
        const { instances, outputs } = examplesOf(name) ?? samplesOf(name);
        const url = `${gateway.url}/v1/models/${name}:predict`;
        const post = async (body: object) => {
          const response = await fetch(url, { method: 'POST', body: JSON.stringify(body) });
          const text = await response.text();
          assert.equal(response.status, 200, text);
          return JSON.parse(text) as { predictions: unknown[]; outputs: unknown };
        };
        const { predictions } = await post({ instances });
        const inputs = Object.keys(instances[0] ?? {}).map((key) => [key, instances.map((row) => row[key])]);
        const { outputs: columns } = await post({ inputs: Object.fromEntries(inputs) });
        for (const [index, wanted] of outputs.entries()) {
          const row = named(predictions[index], wanted);
          assertClose(row, pick(wanted, row), `${name} ${index} in rows`);
          const column = named(at(columns, index), wanted);
          assert.deepEqual(column, row, `${name} ${index} in columns`);
        }
      }
    });

    test('a wrapped record comes back with its id and the version', async () => {
      const answer = await ask<Row>('ride-duration', { ride_id: 'ride_xyz', ride: RIDE });
      assert.deepEqual(Object.keys(answer), ['ride_id', 'ride_duration', 'model_version']);
      assert.deepEqual([answer.ride_id, answer.model_version], ['ride_xyz', 1]);
      const { ride_duration: alone } = await ask<Row>('ride-duration', RIDE);
      assert.equal(answer.ride_duration, alone);
    });

    test('a wrong value is refused with its place', async () => {
      const { instances } = samplesOf('churn');
      const wrong = instances.slice(0, 5).with(3, { ...instances[3], tenure: 'abc' });
      const response = await predict(gateway, { instances: wrong }, '?model=churn');
      const { kind, detail } = (await response.json()) as { kind: string; detail: string };
      assert.deepEqual([response.status, kind], [400, 'invalid_request']);
      assert.equal(detail, 'instances[3].tenure: expected an integer, got "abc"');
    });

    test('integers above 2^53 are not rounded', async () => {
      const [known] = samplesOf('ride-duration').instances;
      const asked = (id: string) =>
        ask<Row>(
          'ride-duration',
          JSON.stringify({ ...known, PULocationID: 0 }).replace('"PULocationID":0', `"PULocationID":${id}`),
        );
      // 2^64 + 1 would be 1 as an int64.
      assert.equal((await asked('9007199254740993')).ride_duration, (await asked('0')).ride_duration);
      const refused = await predict(
        gateway,
        `{"PULocationID":18446744073709551617,"DOLocationID":1,"trip_distance":1}`,
        '?model=ride-duration',
      );
      assert.equal(refused.status, 400);
      assert.match(await refused.text(), /PULocationID: expected an integer from .*, got 18446744073709551617/);
    });

    test('a large batch is read beside the event loop, and answered in its order', async () => {
      const instances = Array.from({ length: 20_000 }, (_, index) => ({
        id: index,
        ...RIDE,
        trip_distance: index % 50,
      }));
      const { predictions } = await ask<{ predictions: Row[] }>('ride-duration', { instances });
      const minutes = predictions.slice(0, 50).map(({ ride_duration }) => ride_duration);
      assert.equal(new Set(minutes).size, 50);
      for (const [index, prediction] of predictions.entries()) {
        assert.deepEqual([prediction.id, prediction.ride_duration], [index, minutes[index % 50]]);
      }
    });

    const clients = pythonWithRequests === undefined ? 'no Python here has the package requests' : false;
    test('the clients of the course work by their address', { skip: clients }, async () => {
      const wanted = {
        churn: /^stays 0\.36275/,
        credit: /^False 0\.14$/m,
        ride_duration: /^ride_xyz \d+\.\d minutes, version 1$/m,
      };
      for (const [name, answer] of Object.entries(wanted)) {
        const url = `${gateway.url}/predict?model=${name.replace('_', '-')}`;
        const script = path.join(ROOT, 'docs/clients', `${name}.py`);
        const { stdout } = await run(pythonWithRequests ?? '', [script, url], { timeout: 60_000 });
        assert.match(stdout, answer);
      }
    });
  });
}
