/** The requests and answers of the Open Inference Protocol as schemas, for openapi.json. */
import { z } from 'zod';
import { explainShape } from '../../explain/options.ts';
import { DATATYPES } from '../../tensor/datatype.ts';
import { valueSchema } from '../../tensor/openapi.ts';

export const modelPath = z.object({ model: z.string().min(1).describe('The name of the model, percent-encoded.') });
export const versionPath = modelPath.extend({
  version: z.int().min(0).describe('The version of the model.'),
});

const text = z.string().max(1000);
const datatype = z.enum(DATATYPES);
const binarySize = z.int().min(0).describe('The bytes of this tensor behind the JSON, in place of `data`.');
/** Others are ignored. */
const parameters = <Shape extends z.ZodRawShape>(shape: Shape) => z.object(shape).catchall(z.unknown()).nullish();

const classes = z.int().min(1).describe('As many of the best classes, in place of the elements.');

const input = z.object({
  name: text,
  datatype,
  shape: z.array(z.int()).max(254),
  parameters: parameters({ binary_data_size: binarySize.nullish() }),
  data: z.array(valueSchema).nullish().describe('The elements in one list, or in lists as the shape has them.'),
});

export const inferBody = z
  .object({
    id: text.nullish().describe('Comes back in the answer.'),
    parameters: parameters({
      signature_name: text.nullish(),
      binary_data_output: z.boolean().nullish().describe('Whether outputs are wanted as binary data.'),
      outlier: z.boolean().nullish().describe('Whether to say how unusual each row is: as outputs named `outlier_…`.'),
      ...explainShape,
    }),
    inputs: z.array(input),
    outputs: z
      .array(
        z.object({
          name: text,
          parameters: parameters({ binary_data: z.boolean().nullish(), classification: classes.nullish() }),
        }),
      )
      .nullish()
      .describe('The outputs that are wanted; all by default.'),
  })
  .meta({ id: 'Infer' });

const output = z.object({
  name: z.string(),
  datatype,
  shape: z.array(z.int()),
  parameters: z.object({ binary_data_size: binarySize }).optional(),
  data: z.array(valueSchema).optional().describe('The elements in one list.'),
});

export const inferAnswer = z
  .object({
    model_name: z.string(),
    model_version: z.string(),
    id: z.string().optional().describe("The request's."),
    outputs: z.array(output),
  })
  .meta({ id: 'InferAnswer' });

const described = z.object({ name: z.string(), datatype: z.string(), shape: z.array(z.int()) });

export const modelMetadata = z
  .object({
    name: z.string(),
    versions: z.array(z.string()),
    platform: z.string(),
    inputs: z.array(described),
    outputs: z.array(described),
  })
  .meta({ id: 'ModelMetadata', description: '-1 is an axis of any size.' });

export const serverMetadata = z
  .object({ name: z.string(), version: z.string(), extensions: z.array(z.string()) })
  .meta({ id: 'ServerMetadata' });
