/** The requests and answers of TF-Serving's REST API as schemas, for openapi.json. */
import { z } from 'zod';
import { instanceSchema, valueSchema } from '../../tensor/openapi.ts';
import { pictureSchema } from '../../tensor/pictures.ts';

export const modelPath = z.object({ model: z.string().min(1).describe('The name of the model, percent-encoded.') });
export const versionPath = modelPath.extend({
  version: z.int().min(0).describe('The version. A number above 2^53 - 1 is a version that is not there.'),
});
export const labelPath = modelPath.extend({
  label: z.string().min(1).describe('The label of a version, percent-encoded.'),
});

const signatureName = z.string().optional().describe('The signature; empty: serving_default.');
const instances = z.array(z.union([pictureSchema, instanceSchema])).min(1);

/** The type of `inputs` depends on the signature: a value for its only input, or an object with all inputs. */
export const predictBody = z
  .union([
    z.object({ signature_name: signatureName, instances, inputs: z.never().optional() }),
    z.object({ signature_name: signatureName, inputs: instanceSchema, instances: z.never().optional() }),
  ])
  .meta({ id: 'TfServingPredict', description: 'Rows: `instances`. Columns: `inputs`.' });

export const predictAnswer = z
  .union([
    z.strictObject({
      predictions: z.array(z.union([z.object({ error: z.string() }), z.record(z.string(), valueSchema), valueSchema])),
    }),
    z.strictObject({ outputs: z.union([z.record(z.string(), valueSchema), valueSchema]) }),
  ])
  .meta({
    id: 'TfServingPredictions',
    description: 'One output is a plain value, several are an object. A picture that failed has an `error`.',
  });

const element = z.union([z.string(), z.number(), z.boolean(), z.strictObject({ b64: z.string() })]);
const example = z.record(z.string(), z.union([element, z.array(element)])).meta({
  id: 'Example',
  description: 'The features of a tf.Example by their names; the elements of one have one type.',
});

export const examplesBody = z
  .object({
    signature_name: signatureName,
    context: example.optional().describe('Features that all examples share.'),
    examples: z.array(example).min(1),
  })
  .meta({ id: 'TfServingExamples' });

const score = z.union([z.number(), z.enum(['NaN', 'Infinity', '-Infinity'])]);

export const classifications = z
  .strictObject({ results: z.array(z.array(z.tuple([z.string(), score]))) })
  .meta({ id: 'TfServingClassifications' });

export const regressions = z.strictObject({ results: z.array(score) }).meta({ id: 'TfServingRegressions' });

/** 64-bit integers are strings, as in proto3's JSON mapping. */
const digits = z.string().regex(/^-?\d+$/);
const tensorInfo = z.object({
  name: z.string(),
  dtype: z.string(),
  tensor_shape: z.object({
    dim: z.array(z.object({ size: digits, name: z.string() })),
    unknown_rank: z.boolean(),
  }),
});
const signatureDef = z.object({
  inputs: z.record(z.string(), tensorInfo),
  outputs: z.record(z.string(), tensorInfo),
  method_name: z.string(),
  defaults: z.record(z.string(), z.unknown()),
});

export const metadata = z
  .strictObject({
    model_spec: z.strictObject({ name: z.string(), signature_name: z.string(), version: digits }),
    metadata: z.strictObject({ signature_def: z.object({ signature_def: z.record(z.string(), signatureDef) }) }),
  })
  .meta({ id: 'TfServingMetadata' });

export const statuses = z
  .strictObject({
    model_version_status: z.array(
      z.strictObject({
        version: digits,
        state: z.enum(['UNKNOWN', 'START', 'LOADING', 'AVAILABLE', 'UNLOADING', 'END']),
        status: z.strictObject({ error_code: z.string(), error_message: z.string() }),
      }),
    ),
  })
  .meta({ id: 'TfServingStatuses' });
