/** Reads a request of …/infer: JSON, and binary data behind it. Any Content-Type is read so, as in Triton. */
import type { Request } from 'express';
import { GatewayError } from '../../errors.ts';
import type { BodyReader } from '../../http/body.ts';
import type { Exchange } from '../../http/exchange.ts';
import { type InferBody, readInputs, refuseUnoffered } from '../../open-inference/inputs.ts';
import type { InferOutput, Parameters } from '../../open-inference/message.ts';
import { type Routed, signatureOf } from '../../pipeline/signature.ts';
import { JSON_LENGTH, withContents } from './contents.ts';
import { format } from './json-body.ts';

export type InferRequest = {
  readonly id: string | undefined;
  readonly body: InferBody;
  /** Whether an output is wanted as binary data. */
  readonly isBinary: (output: string) => boolean;
  /** Gives the memory of binary data back at once. Only when nothing reads the inputs any more. */
  free(): void;
};

/** Reads the request for a version. Throws `invalid_request`, `invalid_tensor`, and the errors of the reader. */
export async function readInfer(
  readBody: BodyReader,
  exchange: Exchange & { readonly request: Request },
  routed: Routed,
): Promise<InferRequest> {
  const jsonBytes = jsonLength(exchange.request);
  const { json, bytes } =
    jsonBytes === undefined
      ? { json: await readBody.json(exchange, format, undefined), bytes: undefined }
      : await readBody.jsonThenBytes(exchange, jsonBytes, format, undefined);
  refuseUnoffered(json);
  const isBinary = binaryOutputs(json);
  const body = await readInputs({ ...json, inputs: withContents(json.inputs, bytes) }, routed);
  requireJson(body, isBinary, routed);
  // Without the garbage collector, which may be late for large bodies.
  return { id: json.id, body, isBinary, free: () => void (bytes?.buffer as ArrayBuffer | undefined)?.transfer(0) };
}

/** The length of the JSON, where the body has binary data too. Throws `invalid_request`. */
function jsonLength(request: Request): number | undefined {
  const given = request.get(JSON_LENGTH);
  if (given === undefined) return undefined;
  const length = Number(given);
  if (/^\d{1,15}$/.test(given) && length > 0) return length;
  const detail = `${JSON_LENGTH}: needs the number of bytes of the JSON in the body, above zero.`;
  throw new GatewayError('invalid_request', detail);
}

type Wanted = { readonly parameters: Parameters; readonly outputs: readonly InferOutput[] };

/** `binary_data` of an output overrides `binary_data_output` of the request. */
function binaryOutputs({ parameters, outputs }: Wanted): (output: string) => boolean {
  const usual = flag(parameters, 'binary_data_output', 'parameters') ?? false;
  const own = new Map(
    outputs.map((output, index) => [
      output.name,
      flag(output.parameters, 'binary_data', `outputs[${index}].parameters`) ?? usual,
    ]),
  );
  return (output) => own.get(output) ?? usual;
}

function flag(parameters: Parameters, name: string, place: string): boolean | undefined {
  const value = parameters.get(name);
  if (value === undefined || typeof value === 'boolean') return value;
  throw new GatewayError('invalid_request', `${place}.${name}: needs true or false.`);
}

/** Throws `invalid_request` for an output whose type JSON cannot have. */
function requireJson(body: InferBody, isBinary: InferRequest['isBinary'], { metadata }: Routed): void {
  const isWanted = (name: string) => (body.outputs?.includes(name) ?? true) && !body.classes.has(name);
  const wrong = signatureOf(metadata, body.signature).outputs.find(
    ({ name, dtype }) => dtype === 'DT_BFLOAT16' && isWanted(name) && !isBinary(name),
  );
  if (!wrong) return;
  const name = wrong.name.slice(0, 80);
  const detail = `outputs: ${name} is BF16, which is sent as binary data only; set its parameters.binary_data to true.`;
  throw new GatewayError('invalid_request', detail);
}
