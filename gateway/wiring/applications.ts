/** Makes the HTTP applications of PORT and ADMIN_PORT: all their routes, each with what it needs, by name. */
import type { Express } from 'express';
import type { Logger } from 'pino';
import type { Config } from '../config/schema.ts';
import type { RequestContext } from '../domain/request.ts';
import type { Lifecycle } from '../door/lifecycle.ts';
import { createAdmin } from '../http/admin.ts';
import type { BodyReader } from '../http/body.ts';
import { documentRoutes } from '../http/document.ts';
import type { Door } from '../http/door.ts';
import { examplesRoutes } from '../http/examples.ts';
import { createHealth } from '../http/health.ts';
import type { JsonCodec } from '../http/json/codec.ts';
import { lineageRoutes } from '../http/lineage.ts';
import { modelsRoutes } from '../http/models.ts';
import { createService } from '../http/service.ts';
import { writePng } from '../image/png.ts';
import { type ListedModel, listModels } from '../model/list.ts';
import { mergedStatuses } from '../model/statuses.ts';
import { countPictures, type Metrics } from '../observe/metrics.ts';
import type { PredictionLog } from '../observe/prediction-log/open.ts';
import { pageRoutes } from '../page/routes.ts';
import { classify } from '../pipeline/classify.ts';
import { infer } from '../pipeline/infer.ts';
import { predictPictures } from '../pipeline/pictures.ts';
import { findModel, predictRecords } from '../pipeline/records.ts';
import { seenPixels } from '../pipeline/seen-pixels.ts';
import { feedbackRoutes } from '../protocol/feedback/routes.ts';
import { invocationsRoutes } from '../protocol/invocations/routes.ts';
import { openInferenceRestRoutes } from '../protocol/open-inference-rest/routes.ts';
import { type PredictOptions, predictRoutes } from '../protocol/predict/routes.ts';
import { type TfServingRestOptions, tfServingRestRoutes } from '../protocol/tf-serving-rest/routes.ts';
import { openInferenceOptions } from './open-inference.ts';
import { aliasesOfHealth, describeAdminPort, describeService } from './openapi/document.ts';
import { checked } from './settings.ts';
import type { Line } from './stages.ts';

export type ApplicationsOptions = {
  readonly config: Config;
  readonly log: Logger;
  readonly line: Line;
  readonly metrics: Metrics;
  readonly lifecycle: Lifecycle;
  /** Absent where the prediction log is off. */
  readonly addFeedback: PredictionLog['addFeedback'] | undefined;
};

/** What the requests of all protocols share. */
export type HttpParts = {
  readonly door: Door;
  readonly readBody: BodyReader;
  readonly codec: JsonCodec;
  /** Refuses a request before its body is read. */
  readonly check: (context: RequestContext) => void;
  readonly isReady: () => boolean;
};

export type Applications = { readonly service: Express; readonly admin: Express };

/** Makes the applications. Throws ConfigError for a trusted proxy that is not an address. */
export function openApplications(options: ApplicationsOptions, parts: HttpParts): Applications {
  const { config, log, line, metrics, lifecycle } = options;
  const { trustedProxies, corsOrigins = [], tlsCertFile, aipPredictRoute: predictRoute } = config;
  const { door, readBody, codec, check, isReady } = parts;
  const predict = predictOptions(options, parts);
  const protocols = [
    // First: Vertex AI may choose a path of another protocol, such as /predict.
    invocationsRoutes(door, { ...predict, ...predict.records, predictRoute }),
    predictRoutes(door, {
      ...predict,
      pixels: async (model, instance, context) => writePng(await seenPixels(line.stages, model, instance, context)),
    }),
    // Before TF-Serving's REST API, which refuses all other paths below /v1/models.
    lineageRoutes(door, (model) => line.watch.cards.get(model) ?? line.watch.discovery.cards.get(model)),
    tfServingRestRoutes(door, tfServingRestOptions(options, parts)),
    openInferenceRestRoutes(door, {
      ...openInferenceOptions(options, { check, isReady }),
      readBody,
      write: codec.write,
    }),
    feedbackRoutes(door, { readBody, add: options.addFeedback }),
    modelsRoutes(door, () => listServed(line)),
    examplesRoutes(door, (model, context) => line.stages.route.resolve({ model }, context)),
    ...(config.playground ? [pageRoutes()] : []),
    documentRoutes(door, describeService(config)),
  ];
  const healthParts = { lifecycle, states: line.watch.states, decodingProblem: line.decodingProblem };
  const healthAliases = aliasesOfHealth(config);
  const health = createHealth({ ...healthParts, aliases: healthAliases, withDetails: false });
  const hasTls = tlsCertFile !== undefined;
  const service = checked(
    () => createService({ door, protocols, health, healthAliases, trustedProxies, corsOrigins, hasTls }),
    'TRUSTED_PROXIES',
  );
  const adminHealth = createHealth({ ...healthParts, withDetails: true });
  return { service, admin: createAdmin({ metrics, health: adminHealth, document: describeAdminPort(), log }) };
}

/** The models with a model.yaml, then those without. */
function listServed({ watch }: Line): ListedModel[] {
  const { cards, states, discovery } = watch;
  return [
    ...listModels({ cards, states: states.all, versions: (name) => watch.model(name)?.versions }),
    ...listModels({
      cards: discovery.cards,
      states: discovery.states,
      versions: (name) => discovery.get(name)?.versions,
    }),
  ];
}

function predictOptions(
  { config: { maxInstances, maxBodyBytes }, line: { stages }, metrics }: ApplicationsOptions,
  { readBody, codec, check }: HttpParts,
): PredictOptions {
  return {
    readBody,
    maxInstances,
    check,
    find: (servable, context) => findModel(stages, servable, context),
    records: {
      write: codec.write,
      maxBodyBytes,
      predict: (request, context) => predictRecords(stages, request, context),
    },
    async classify(request, context) {
      const classification = await classify(stages, request, context);
      countPictures(metrics, classification);
      return classification;
    },
  };
}

function tfServingRestOptions(
  { config: { maxInstances }, line: { stages, watch }, metrics }: ApplicationsOptions,
  { readBody, codec, check }: HttpParts,
): TfServingRestOptions {
  return {
    readBody,
    write: codec.write,
    maxInstances,
    check,
    resolve: stages.route.resolve,
    statuses(model) {
      const versions = (watch.model(model) ?? watch.discovery.get(model))?.versions;
      return versions && mergedStatuses(versions.servers.values());
    },
    infer: (request, context) => infer(stages, request, context),
    async predictPictures(request, context) {
      const answer = await predictPictures(stages, request, context);
      countPictures(metrics, answer);
      return answer;
    },
  };
}
