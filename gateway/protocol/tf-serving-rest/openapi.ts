/** TF-Serving's REST API as openapi.json describes it. */
import { doorHeaders, versionHeaders } from '../../http/openapi/headers.ts';
import { BODY, errorTextBody, MODEL, PICTURES, refusals } from '../../http/openapi/refusals.ts';
import { answerOf, type DescribedRoute, type Example } from '../../http/openapi/route.ts';
import { CREDIT_RECORD, TINY_PICTURE } from '../../http/openapi/samples.ts';
import * as schemas from './schemas.ts';

/** Which version: the parts of a path, and their parameters. */
const WHICH = [
  { path: '', suffix: '', parameters: schemas.modelPath },
  { path: '/versions/{version}', suffix: 'OfVersion', parameters: schemas.versionPath },
  { path: '/labels/{label}', suffix: 'OfLabel', parameters: schemas.labelPath },
] as const;

type What = Omit<DescribedRoute, 'path'> & { readonly end: string };

/** The routes for openapi.json: each for the latest version, a version and a label. */
export function describeTfServingRest(): DescribedRoute[] {
  const all = [predict, classify, regress, metadata, status];
  return all.flatMap(({ end, method, operation, examples }) =>
    WHICH.map(({ path, suffix, parameters }) => ({
      method,
      path: `/v1/models/{model}${path}${end}`,
      operation: {
        ...operation,
        operationId: `${operation.operationId}${suffix}`,
        tags: ['TensorFlow Serving'],
        requestParams: { path: parameters },
      },
      ...(suffix === '' && examples && { examples }),
    })),
  );
}

/** In TF-Serving, every mistake of a request is a 400, and any Content-Type is read as JSON. */
const predict: What = {
  method: 'post',
  end: ':predict',
  operation: {
    operationId: 'tfServingPredict',
    summary: 'Predict tensors, in rows or columns',
    description: 'A model with an image input also takes `{"url": …}` and `{"b64": …}` as instances.',
    requestBody: { required: true, content: { 'application/json': { schema: schemas.predictBody } } },
    responses: {
      200: answerOf('The outputs.', schemas.predictAnswer, versionHeaders),
      ...refusals([...BODY, ...MODEL, ...PICTURES, 'unsupported_media'], errorTextBody),
    },
  },
  examples: {
    rows: { summary: 'Rows', parameters: { model: 'credit' }, body: { instances: [CREDIT_RECORD] } },
    columns: {
      summary: 'Columns',
      parameters: { model: 'credit' },
      body: { inputs: { job: ['student', 'retired'], duration: [280, 28], poutcome: ['failure', 'success'] } },
    },
    picture: { summary: 'A picture', parameters: { model: 'clothing-model' }, body: { instances: [TINY_PICTURE] } },
    mistake: {
      summary: 'A value of another type',
      parameters: { model: 'credit' },
      body: { instances: [{ ...CREDIT_RECORD, duration: 'abc' }] },
    },
    unknown: { summary: 'A model that is not there', parameters: { model: 'none' }, body: { instances: [1] } },
  },
};

/** The committed models have no signature of this kind: the answers are refusals. */
const EXAMPLES: Readonly<Record<string, Example>> = {
  unsuited: {
    summary: 'A model whose signature is not for examples',
    parameters: { model: 'credit' },
    body: { examples: [CREDIT_RECORD] },
  },
};

const classify: What = {
  method: 'post',
  end: ':classify',
  operation: {
    operationId: 'tfServingClassify',
    summary: 'Classify tf.Examples',
    requestBody: { required: true, content: { 'application/json': { schema: schemas.examplesBody } } },
    responses: {
      200: answerOf('Labels with scores for each example.', schemas.classifications, versionHeaders),
      ...refusals([...BODY, ...MODEL, 'unsupported_media'], errorTextBody),
    },
  },
  examples: EXAMPLES,
};

const regress: What = {
  method: 'post',
  end: ':regress',
  operation: {
    operationId: 'tfServingRegress',
    summary: 'Predict one number for each tf.Example',
    requestBody: { required: true, content: { 'application/json': { schema: schemas.examplesBody } } },
    responses: {
      200: answerOf('A number for each example.', schemas.regressions, versionHeaders),
      ...refusals([...BODY, ...MODEL, 'unsupported_media'], errorTextBody),
    },
  },
  examples: EXAMPLES,
};

const metadata: What = {
  method: 'get',
  end: '/metadata',
  operation: {
    operationId: 'tfServingMetadata',
    summary: 'The signatures of a version',
    responses: {
      200: answerOf('The signatures.', schemas.metadata, versionHeaders),
      ...refusals(MODEL, errorTextBody),
    },
  },
  examples: { credit: { summary: 'A model', parameters: { model: 'credit' } } },
};

const status: What = {
  method: 'get',
  end: '',
  operation: {
    operationId: 'tfServingStatus',
    summary: 'The states of the versions',
    responses: {
      200: answerOf('The newest version comes first.', schemas.statuses, doorHeaders),
      ...refusals(MODEL, errorTextBody),
    },
  },
  examples: {
    credit: { summary: 'A model', parameters: { model: 'credit' } },
    unknown: { summary: 'A model that is not there', parameters: { model: 'none' } },
  },
};
