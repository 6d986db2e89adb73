/** The program of the worker thread that reads large JSON bodies. */
import { move, transferableSymbol, valueSymbol } from 'piscina';
import { GatewayError, type Kind } from '../../errors.ts';
import { decodeJson, type JsonFormat, readJson } from './format.ts';

export type Task = { readonly module: string; readonly body: Uint8Array; readonly options: unknown };

/** An error loses its class between threads, so its parts are sent. */
export type Reply =
  | { readonly result: unknown }
  | { readonly kind: Kind; readonly detail: string; readonly cause: unknown };

/** Reads the body in the format that the module exports. The memory of the result is moved, not copied. */
export async function readInWorker({ module, body, options }: Task): Promise<unknown> {
  const { format } = (await import(module)) as { format: JsonFormat<unknown, unknown> };
  try {
    const text = decodeJson(body, format.example);
    // Without the garbage collector, which may be late: this is the memory that was counted.
    (body.buffer as ArrayBuffer).transfer(0);
    const result = readJson(text, format, options);
    const reply: Reply = { result };
    return move({ [transferableSymbol]: format.memory(result), [valueSymbol]: reply });
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    const { kind, message: detail, cause } = error;
    return { kind, detail, cause } satisfies Reply;
  }
}
