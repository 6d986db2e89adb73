/** Predict, Classify and Regress: TF-Serving's checks in its order, then a run of the model. */

import { classificationOutputs, classifications } from './classification.ts';
import { examplesOf, readExamples } from './examples.ts';
import type { Models } from './models.ts';
import { findSignature, fitting, outputNames, readInputs } from './predict.ts';
import {
  type ClassificationResponse,
  DEFAULT_SIGNATURE,
  type ExampleRequest,
  type ModelSpec,
  type PredictRequest,
  type PredictResponse,
  type RegressionResponse,
} from './protocol.ts';
import { regressionOutputs, regressions } from './regression.ts';
import { RequestCounts } from './request-counts.ts';
import type { Servable } from './servable.ts';
import type { Outputs, Signature } from './session-worker.ts';
import { invalidArgument, StatusError } from './status.ts';
import { writeTensor } from './tensor.ts';

export type InferenceOptions = {
  readonly models: Models;
  /** Limit of concurrent calls, queued ones included. Calls above it fail with RESOURCE_EXHAUSTED. */
  readonly maxCalls: number;
  readonly asTensorContent: boolean;
};

/** What a call asks for, once its model is found. */
type Call = { readonly servable: Servable; readonly signatureName: string; readonly signal: AbortSignal };

export class Inference {
  /** Without calls for unknown models. */
  readonly requestCounts = new RequestCounts();
  readonly #options: InferenceOptions;
  #calls = 0;

  constructor(options: InferenceOptions) {
    this.#options = options;
  }

  /** Runs a model. @throws StatusError with TF-Serving's codes and texts, as the other two */
  async predict(request: PredictRequest, signal: AbortSignal): Promise<PredictResponse> {
    return this.#call(request, signal, async (call) => {
      const signature = findSignature(call.servable.signatures, call.signatureName);
      const tensors = readInputs(signature, request.inputs);
      const fetches = outputNames(signature, request.output_filter);
      const outputs = await run(call, { signature, tensors, fetches });
      const protos = [...outputs].map(([name, tensor]) => [name, writeTensor(tensor, this.#options.asTensorContent)]);
      return { model_spec: answeredBy(call), outputs: Object.fromEntries(protos) };
    });
  }

  /** Runs a model on examples. The result has the classes of each, from the outputs `classes` and `scores`. */
  async classify(request: ExampleRequest, signal: AbortSignal): Promise<ClassificationResponse> {
    return this.#call(request, signal, async (call) => {
      const { rows, outputs } = await runExamples(call, request, classificationOutputs);
      return { model_spec: answeredBy(call), result: { classifications: classifications(outputs, rows) } };
    });
  }

  /** Runs a model on examples. The result has one number for each, from the output `outputs`. */
  async regress(request: ExampleRequest, signal: AbortSignal): Promise<RegressionResponse> {
    return this.#call(request, signal, async (call) => {
      const { rows, outputs } = await runExamples(call, request, regressionOutputs);
      return { model_spec: answeredBy(call), result: { regressions: regressions(outputs, rows) } };
    });
  }

  async #call<Response>(
    request: { readonly model_spec: ModelSpec | null },
    signal: AbortSignal,
    answer: (call: Call) => Promise<Response>,
  ): Promise<Response> {
    if (this.#calls >= this.#options.maxCalls) {
      throw new StatusError('RESOURCE_EXHAUSTED', 'Server Threadpool Exhausted');
    }
    this.#calls++;
    try {
      const spec = specOf(request);
      const servable = this.#options.models.servable(spec);
      const call = { servable, signatureName: spec.signature_name || DEFAULT_SIGNATURE, signal };
      return await this.requestCounts.of(spec.name, answer(call));
    } finally {
      this.#calls--;
    }
  }
}

/** @throws StatusError INVALID_ARGUMENT if the request names no model */
export function specOf({ model_spec: spec }: { readonly model_spec: ModelSpec | null }): ModelSpec {
  if (spec === null) throw invalidArgument('Missing ModelSpec');
  return spec;
}

function answeredBy({ servable: { name, version }, signatureName }: Call): ModelSpec {
  return { name, version: { value: version }, signature_name: signatureName };
}

async function runExamples(
  call: Call,
  { input }: ExampleRequest,
  outputsOf: (signature: Signature) => string[],
): Promise<{ rows: number; outputs: Outputs }> {
  const signature = call.servable.signatures.get(call.signatureName);
  if (signature === undefined) throw invalidArgument(`No signature was found with the name: ${call.signatureName}`);
  const fetches = outputsOf(signature);
  const examples = examplesOf(input);
  const tensors = readExamples(signature, examples);
  return { rows: examples.length, outputs: await run(call, { signature, tensors, fetches }) };
}

type Wanted = {
  readonly signature: Signature;
  readonly tensors: Parameters<typeof fitting>[1];
  readonly fetches: string[];
};

async function run(call: Call, { signature, tensors, fetches }: Wanted): Promise<Outputs> {
  const { servable, signatureName, signal } = call;
  return servable.run({ signature: signatureName, feeds: fitting(signature, tensors), fetches, signal });
}
