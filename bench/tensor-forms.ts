/** The ways to send float32 to the model `dtypes`, which answers them as they are. */

type Request = { readonly body: string | Buffer; readonly headers?: Readonly<Record<string, string>> };

export type Form = { readonly path: string; readonly large: Request; readonly small: Request };

const numbers = Array.from({ length: 1e6 }, (_, index) => Math.fround(Math.sin(index)));
const few = numbers.slice(0, 10);
const signature_name = 'echo_float32';

/** A million numbers on TF-Serving's REST API. */
export const TF_SERVING: Form = {
  path: '/v1/models/dtypes:predict',
  large: { body: JSON.stringify({ signature_name, inputs: numbers }) },
  small: { body: JSON.stringify({ signature_name, inputs: few }) },
};

/** A million numbers as JSON of the Open Inference Protocol. */
export const OPEN_INFERENCE: Form = {
  path: '/v2/models/dtypes/infer',
  large: { body: inferHead(numbers.length, { data: numbers }) },
  small: { body: inferHead(few.length, { data: few }) },
};

/** Five million numbers as binary data of the Open Inference Protocol. */
export const BINARY: Form = {
  path: OPEN_INFERENCE.path,
  large: binary(Array.from({ length: 5 }, () => numbers).flat()),
  small: binary(few),
};

/** The JSON of a request with one input. `elements`: what the input has beside its shape. */
function inferHead(length: number, elements: object): string {
  const parameters = { signature_name, binary_data_output: !('data' in elements) };
  return JSON.stringify({ parameters, inputs: [{ name: 'x', datatype: 'FP32', shape: [length], ...elements }] });
}

function binary(list: readonly number[]): Request {
  const bytes = new Uint8Array(Float32Array.from(list).buffer);
  const json = Buffer.from(inferHead(list.length, { parameters: { binary_data_size: bytes.length } }));
  return {
    body: Buffer.concat([json, bytes]),
    headers: { 'Inference-Header-Content-Length': String(json.length) },
  };
}
