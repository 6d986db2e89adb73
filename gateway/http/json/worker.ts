/** The program of the worker thread that reads and writes large JSON. */
import { move, transferableSymbol, valueSymbol } from 'piscina';
import { GatewayError, type Kind } from '../../errors.ts';
import { decodeJson, type JsonFormat, type JsonText, readJson, writeText } from './format.ts';

export type ReadTask = { readonly module: string; readonly body: Uint8Array; readonly options: unknown };
export type WriteTask = { readonly module: string; readonly value: unknown };

/** An error loses its class between threads, so its parts are sent. */
export type Reply =
  | { readonly result: unknown }
  | { readonly kind: Kind; readonly detail: string; readonly cause: unknown };

/** Reads the body in the format that the module exports. The memory of the result is moved, not copied. */
export async function readInWorker({ module, body, options }: ReadTask): Promise<unknown> {
  const { format } = (await import(module)) as { format: JsonFormat<unknown, unknown> };
  return replyWith(() => {
    const text = decodeJson(body, format.example);
    // Without the garbage collector, which may be late: this is the memory that was counted.
    (body.buffer as ArrayBuffer).transfer(0);
    const result = readJson(text, format, options);
    return { result, memory: format.memory(result) };
  });
}

/** Writes the value as the text that the module exports. */
export async function writeInWorker({ module, value }: WriteTask): Promise<unknown> {
  const { text } = (await import(module)) as { text: JsonText<unknown> };
  return replyWith(() => {
    const result = writeText(text, value);
    return { result, memory: [result.buffer] };
  });
}

function replyWith(work: () => { readonly result: unknown; readonly memory: readonly ArrayBuffer[] }): unknown {
  try {
    const { result, memory } = work();
    return move({ [transferableSymbol]: memory, [valueSymbol]: { result } satisfies Reply });
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    const { kind, message: detail, cause } = error;
    return { kind, detail, cause } satisfies Reply;
  }
}
