/** The worker thread with a version's ONNX sessions. onnxruntime-node computes on, and blocks, the calling thread. */

import { parentPort, workerData } from 'node:worker_threads';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { DTYPES, type DType, dtypeOfOnnx, type NumberArray } from './dtype.ts';
import type { OutputTensor } from './tensor.ts';

export type SessionOptions = {
  /** The ONNX file of each signature. */
  readonly graphs: ReadonlyMap<string, string>;
  readonly intraOpThreads: number;
};

/** One input or output. -1 is an axis of any size. An empty shape is a scalar or an unknown rank. */
export type ValueInfo = { readonly dtype: DType; readonly shape: readonly number[] };
export type Signature = {
  readonly inputs: ReadonlyMap<string, ValueInfo>;
  readonly outputs: ReadonlyMap<string, ValueInfo>;
};
export type Signatures = ReadonlyMap<string, Signature>;

/** An input of a run. The concatenated `parts` are the elements of `shape`. */
export type Feed = {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly parts: readonly (Uint8Array<ArrayBuffer> | string[])[];
};
export type RunMessage = {
  readonly signature: string;
  readonly feeds: readonly Feed[];
  readonly fetches: readonly string[];
};
export type Outputs = ReadonlyMap<string, OutputTensor>;

/** A message from the worker: first the signature of each graph, then the outputs of each run, or an error. */
export type Reply = { readonly signature: Signature } | { readonly outputs: Outputs } | { readonly error: string };

function signatureOf(session: InferenceSession): Signature {
  const valueInfo = (value: InferenceSession.ValueMetadata): [string, ValueInfo] => {
    const dtype = value.isTensor ? dtypeOfOnnx(value.type) : undefined;
    if (!value.isTensor || dtype === undefined) {
      throw new Error(
        `${value.name} has a type that cannot be served: ${value.isTensor ? value.type : 'not a tensor'}`,
      );
    }
    return [value.name, { dtype, shape: value.shape.map((size) => (typeof size === 'number' ? size : -1)) }];
  };
  return {
    inputs: new Map(session.inputMetadata.map(valueInfo)),
    outputs: new Map(session.outputMetadata.map(valueInfo)),
  };
}

/** Concatenates the parts into one array. A single aligned part is not copied. */
function gather(parts: readonly Uint8Array<ArrayBuffer>[], dtype: DType): NumberArray {
  const array = DTYPES[dtype].array ?? Uint8Array;
  const [first] = parts;
  if (parts.length === 1 && first !== undefined && first.byteOffset % array.BYTES_PER_ELEMENT === 0) {
    return new array(first.buffer, first.byteOffset, first.byteLength / array.BYTES_PER_ELEMENT);
  }
  const joined = new Uint8Array(parts.reduce((total, part) => total + part.byteLength, 0));
  let end = 0;
  for (const part of parts) {
    joined.set(part, end);
    end += part.byteLength;
  }
  return new array(joined.buffer);
}

function tensorOf({ dtype, shape, parts }: Feed): Tensor {
  if (dtype === 'DT_STRING') return new Tensor('string', (parts as string[][]).flat(), shape);
  const data = gather(parts as Uint8Array<ArrayBuffer>[], dtype);
  return new Tensor(DTYPES[dtype].onnx, data as Tensor['data'], shape);
}

async function run(session: InferenceSession, { feeds, fetches }: RunMessage): Promise<Outputs> {
  const inputs = Object.fromEntries(feeds.map((feed) => [feed.name, tensorOf(feed)]));
  const results = await session.run(inputs, fetches);
  return new Map(
    Object.entries(results).map(([name, { type, dims, data }]) => {
      const dtype = dtypeOfOnnx(type) as DType;
      return [name, { dtype, shape: dims, data: data as OutputTensor['data'] }];
    }),
  );
}

/** Opens a graph by path, not from bytes: other signatures load their weights from model.onnx as external data. */
function openGraph(file: string, intraOpThreads: number): Promise<InferenceSession> {
  return InferenceSession.create(file, {
    intraOpNumThreads: intraOpThreads,
    // The arena keeps the memory of the largest batch and is not faster. README.md has the figures.
    enableCpuMemArena: false,
    // Spinning threads take CPU time from other processes. README.md has the figures.
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  });
}

async function serve(port: NonNullable<typeof parentPort>, { graphs, intraOpThreads }: SessionOptions): Promise<void> {
  const reply = (message: Reply) => port.postMessage(message);
  const fail = (error: unknown) => reply({ error: error instanceof Error ? error.message : String(error) });
  const sessions = new Map<string, InferenceSession>();
  for (const [name, file] of graphs) {
    const session = await openGraph(file, intraOpThreads);
    sessions.set(name, session);
    reply({ signature: signatureOf(session) });
  }
  port.on('message', (message: RunMessage | 'close') => {
    if (message === 'close') {
      const released = [...sessions.values()].map((session) => session.release());
      return void Promise.all(released).then(() => port.close(), fail);
    }
    run(sessions.get(message.signature) as InferenceSession, message).then((outputs) => reply({ outputs }), fail);
  });
}

if (parentPort !== null) {
  const port = parentPort;
  // If Float16Array exists, onnxruntime-node uses it for float16, but its native code cannot read it. Otherwise it uses
  // Uint16Array.
  Reflect.deleteProperty(globalThis, 'Float16Array');
  serve(port, workerData).catch((error: Error) => {
    port.postMessage({ error: error.message } satisfies Reply);
    port.close();
  });
}
