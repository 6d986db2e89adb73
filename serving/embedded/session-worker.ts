/** The worker thread with a version's ONNX sessions. onnxruntime-node computes on, and blocks, the calling thread. */

import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { hasBfloat16, toBfloat16, toFloat32, widenedName, widenModel } from './bfloat16.ts';
import { DTYPES, type DType, dtypeOfCode, type NumberArray, UNSERVED } from './dtype.ts';
import { type Feed, free, memoriesOf } from './feed.ts';
import { type Declared, readDeclared } from './onnx-file.ts';
import type { OutputTensor } from './tensor.ts';

export type SessionOptions = {
  /** The ONNX file of each signature. */
  readonly graphs: ReadonlyMap<string, string>;
  readonly intraOpThreads: number;
};

/** One input or output. -1 is an axis of any size. `shape` is undefined if the rank is unknown. */
export type ValueInfo = { readonly dtype: DType; readonly shape: readonly number[] | undefined };
export type Signature = {
  readonly inputs: ReadonlyMap<string, ValueInfo>;
  readonly outputs: ReadonlyMap<string, ValueInfo>;
};
export type Signatures = ReadonlyMap<string, Signature>;

/** One number in shared memory: 0 while a caller waits for the run, 1 when it has gone. */
export type Cancelled = Int32Array<SharedArrayBuffer>;

export type RunMessage = {
  readonly signature: string;
  readonly feeds: readonly Feed[];
  readonly fetches: readonly string[];
  /** Of each request in the run. It is skipped if all are set before it starts. */
  readonly cancelled: readonly Cancelled[];
};
export type Outputs = ReadonlyMap<string, OutputTensor>;

/** A message from the worker: first the signature of each graph, then the outputs of each run, or an error. */
export type Reply = { readonly signature: Signature } | { readonly outputs: Outputs } | { readonly error: string };

/** A graph that is open. ONNX Runtime knows a bfloat16 input or output by its `widenedName`. */
type Graph = { readonly session: InferenceSession; readonly signature: Signature };

type Infos = ReadonlyMap<string, ValueInfo>;

/** @throws Error for a type that cannot be served */
function infosOf(declared: ReadonlyMap<string, Declared>): Infos {
  return new Map([...declared].map(([name, value]) => [name, valueInfo(name, value)]));
}

/** Without the inputs that have a default value in the file: they are no inputs of the session. */
function only(names: readonly string[], infos: Infos): Infos {
  return new Map([...infos].filter(([name]) => names.includes(name) || names.includes(widenedName(name))));
}

function valueInfo(name: string, { code, shape }: Declared): ValueInfo {
  const dtype = code === undefined ? undefined : dtypeOfCode(code);
  if (dtype !== undefined) return { dtype, shape };
  // scikit-learn's converter makes a sequence of maps of the probabilities, unless it is told not to.
  const type = code === undefined ? 'not a tensor (skl2onnx: set zipmap to False)' : (UNSERVED[code] ?? `type ${code}`);
  throw new Error(`${name} has a type that cannot be served: ${type}`);
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
  const numbers = gather(parts as Uint8Array<ArrayBuffer>[], dtype);
  const data = dtype === 'DT_BFLOAT16' ? toFloat32(numbers as Uint16Array) : numbers;
  return new Tensor(DTYPES[dtype].onnx, data as Tensor['data'], shape);
}

async function run({ session, signature }: Graph, { feeds, fetches }: RunMessage): Promise<Outputs> {
  const inner = (name: string, dtype: DType | undefined) => (dtype === 'DT_BFLOAT16' ? widenedName(name) : name);
  const inputs = Object.fromEntries(feeds.map((feed) => [inner(feed.name, feed.dtype), tensorOf(feed)]));
  const names = new Map(fetches.map((name) => [inner(name, signature.outputs.get(name)?.dtype), name]));
  const results = await session.run(inputs, [...names.keys()]).finally(() => {
    const own = Object.values(inputs).flatMap(({ data }) => (ArrayBuffer.isView(data) ? data.buffer : []));
    for (const memory of [...memoriesOf(feeds), ...own]) free(memory as ArrayBuffer);
  });
  return new Map(
    [...names].map(([from, name]) => [
      name,
      outputOf(results[from] as Tensor, signature.outputs.get(name) as ValueInfo),
    ]),
  );
}

function outputOf({ dims, data }: Tensor, { dtype }: ValueInfo): OutputTensor {
  const values = dtype === 'DT_BFLOAT16' ? toBfloat16(data as Float32Array) : data;
  return { dtype, shape: dims, data: values as OutputTensor['data'] };
}

async function openGraph(file: string, intraOpThreads: number): Promise<Graph> {
  const declared = readDeclared(file);
  const inputs = infosOf(declared.inputs);
  const outputs = infosOf(declared.outputs);
  const options = {
    intraOpNumThreads: intraOpThreads,
    // The arena keeps the memory of the largest batch and is not faster. README.md has the figures.
    enableCpuMemArena: false,
    extra: {
      session: {
        // Spinning threads take CPU time from other processes. README.md has the figures.
        intra_op: { allow_spinning: '0' },
        // The weights that other signatures share with model.onnx are external data beside the file.
        model_external_initializers_file_folder_path: dirname(file),
      },
    },
  };
  const session = hasBfloat16(declared)
    ? await InferenceSession.create(widenModel(readFileSync(file), declared), options)
    : await InferenceSession.create(file, options);
  const { inputNames, outputNames } = session;
  return { session, signature: { inputs: only(inputNames, inputs), outputs: only(outputNames, outputs) } };
}

async function serve(port: NonNullable<typeof parentPort>, { graphs, intraOpThreads }: SessionOptions): Promise<void> {
  const reply = (message: Reply) => port.postMessage(message);
  const fail = (error: unknown) => reply({ error: error instanceof Error ? error.message : String(error) });
  const opened = new Map<string, Graph>();
  for (const [name, file] of graphs) {
    const graph = await openGraph(file, intraOpThreads);
    opened.set(name, graph);
    reply({ signature: graph.signature });
  }
  const handle = async (message: RunMessage | 'close') => {
    if (message === 'close') {
      await Promise.all([...opened.values()].map(({ session }) => session.release()));
      port.close();
    } else if (message.cancelled.every((request) => Atomics.load(request, 0) !== 0)) {
      fail('the requests were cancelled');
    } else {
      reply({ outputs: await run(opened.get(message.signature) as Graph, message) });
    }
  };
  let last: Promise<void> = Promise.resolve();
  port.on('message', (message: RunMessage | 'close') => {
    last = last.then(() => handle(message)).catch(fail);
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
