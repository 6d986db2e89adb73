/** Starts the embedded server as a child process, and a gRPC client for it. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Client, credentials, type ServiceError } from '@grpc/grpc-js';
import { loadProtocol, type ModelSpec, type TensorProto } from '../protocol.ts';

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));

/** node:test's `after`, or the context of a test. */
type Hooks = { readonly after: (work: () => void | Promise<void>) => void };

/** Creates a folder that is deleted when the test ends. */
export function temporaryFolder(test: Hooks): string {
  const folder = mkdtempSync(join(tmpdir(), 'embedded-test-'));
  test.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Runs the server until it exits. */
export async function runServer(...flags: string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [MAIN, ...flags], { stdio: ['ignore', 'pipe', 'pipe'] });
  const output = outputOf(child);
  const [code] = await once(child, 'close');
  return { code, output: output() };
}

export type Server = {
  readonly client: TestClient;
  readonly process: ChildProcess;
  /** All output of the server so far. */
  output(): string;
};

/** Starts the server on a socket in `folder`. It is killed when the test ends. */
export function spawnServer(test: Hooks, folder: string, ...flags: string[]): Server {
  const socket = join(folder, `${Math.random().toString(36).slice(2)}.sock`);
  const child = spawn(process.execPath, [MAIN, '--port=0', `--grpc_socket_path=${socket}`, ...flags], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const client = new TestClient(`unix:${socket}`);
  test.after(async () => {
    client.close();
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
  return { client, process: child, output: outputOf(child) };
}

/** Starts the server and waits until it is ready. */
export async function startServer(test: Hooks, folder: string, ...flags: string[]): Promise<Server> {
  const server = spawnServer(test, folder, ...flags);
  const ended = once(server.process, 'exit').then(() =>
    Promise.reject(new Error(`the server exited: ${server.output()}`)),
  );
  await Promise.race([once(server.process, 'message'), ended]);
  return server;
}

function outputOf({ stdout, stderr }: ChildProcess): () => string {
  let output = '';
  for (const stream of [stdout, stderr]) {
    stream?.on('data', (data) => {
      output += data;
    });
  }
  return () => output;
}

/** Polls a condition until it is true, for at most ten seconds. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = performance.now() + 10_000;
  while (!(await condition())) {
    if (performance.now() > endMs) throw new Error(`still false after 10 s: ${condition}`);
    await sleep(20);
  }
}

type Inputs = Record<string, Partial<TensorProto>>;
type CallOptions = {
  readonly spec?: Partial<ModelSpec>;
  readonly filter?: readonly string[];
  readonly timeoutMs?: number;
};
type PredictResult = { model_spec: ModelSpec; outputs: Record<string, TensorProto> };

export class TestClient {
  readonly #prediction: Client;
  readonly #model: Client;

  constructor(target: string) {
    const { predictionService, modelService } = loadProtocol();
    const unlimited = { 'grpc.max_receive_message_length': -1, 'grpc.initial_reconnect_backoff_ms': 50 };
    this.#prediction = new predictionService(target, credentials.createInsecure(), unlimited);
    this.#model = new modelService(target, credentials.createInsecure(), unlimited);
  }

  async predict(
    name: string,
    inputs: Inputs,
    { spec, filter = [], timeoutMs }: CallOptions = {},
  ): Promise<PredictResult> {
    const request = { model_spec: { name, ...spec }, inputs, output_filter: filter };
    return this.call('Predict', request, timeoutMs);
  }

  /** Sends x, a vector of float32. Returns the output y. */
  async predictY(name: string, x: readonly number[], options: CallOptions = {}): Promise<number[]> {
    const { outputs } = await this.predict(name, { x: floats(x) }, options);
    return outputs.y?.float_val ?? [];
  }

  /** The state of each version, newest first. */
  async states(name: string, version?: number): Promise<[number, string][]> {
    const spec = { name, ...(version === undefined ? {} : { version: { value: version } }) };
    const { model_version_status: found } = await this.call<{
      model_version_status: { version: string; state: string }[];
    }>('GetModelStatus', { model_spec: spec });
    return found.map((one) => [Number(one.version), one.state]);
  }

  async call<Response>(method: string, request: object, timeoutMs = 10_000): Promise<Response> {
    const client = method in Object.getPrototypeOf(this.#prediction) ? this.#prediction : this.#model;
    type Method = (
      request: object,
      options: object,
      done: (error: ServiceError | null, response: Response) => void,
    ) => void;
    const send = (client as unknown as Record<string, Method>)[method] as Method;
    return new Promise((resolve, reject) => {
      send.call(client, request, { deadline: Date.now() + timeoutMs }, (error, response) =>
        error ? reject(error) : resolve(response),
      );
    });
  }

  close(): void {
    this.#prediction.close();
    this.#model.close();
  }
}

/** A float32 tensor. Without a shape it is a vector. */
export function floats(values: readonly number[], shape: readonly number[] = [values.length]): Partial<TensorProto> {
  const content = Buffer.from(Float32Array.from(values).buffer);
  return { dtype: 'DT_FLOAT', tensor_shape: { dim: shape.map((size) => ({ size })) }, tensor_content: content };
}

/** The expected error of a call, for assert.rejects. */
export function refusal(code: number, details: string): object {
  return { code, details };
}
