/** Joins what all folders say of their routes into openapi.json: one document for each port. */

import {
  type CreateDocumentOptions,
  createDocument,
  type ZodOpenApiObject,
  type ZodOpenApiPathsObject,
} from 'zod-openapi';
import type { Config } from '../../config/schema.ts';
import { VERSION } from '../../domain/version.ts';
import { describeAdmin } from '../../http/openapi/admin.ts';
import { describeAdminDocument, describeDocument } from '../../http/openapi/document.ts';
import { describeExamples } from '../../http/openapi/examples.ts';
import { describeHealth } from '../../http/openapi/health.ts';
import { describeLineage } from '../../http/openapi/lineage.ts';
import { describeModels } from '../../http/openapi/models.ts';
import type { DescribedRoute } from '../../http/openapi/route.ts';
import { describePages } from '../../page/openapi.ts';
import { describeFeedback } from '../../protocol/feedback/openapi.ts';
import { describeInvocations } from '../../protocol/invocations/openapi.ts';
import { describeOpenInferenceRest } from '../../protocol/open-inference-rest/openapi.ts';
import { describePredict } from '../../protocol/predict/openapi.ts';
import { describeTfServingRest } from '../../protocol/tf-serving-rest/openapi.ts';
import { addExamples, type OpenApi } from './examples.ts';

/** The settings that the document depends on. */
export type DocumentSettings = Pick<
  Config,
  'apiKeysFile' | 'aipHealthRoute' | 'aipPredictRoute' | 'maxInstances' | 'playground'
>;

const INFO = { version: VERSION, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } };

const ABOUT = `Predictions of models behind TensorFlow Serving, by several protocols.

A failure is \`application/problem+json\` (RFC 9457) with a \`kind\`, a closed set. Below /v1 and /v2 it is \`{"error": "text"}\`, as those
protocols have it, but for lineage. A request that is not valid HTTP/1.1 is refused before it has a route, always as a problem. Other methods than those
listed are 405 with \`Allow\`; below /v1/models they are 400, as in TensorFlow Serving.

ADMIN_PORT (metrics and log level) has another document at the same path.`;

/** The paths that answer as `/health/ready` does. */
export function aliasesOfHealth({ aipHealthRoute }: Pick<Config, 'aipHealthRoute'>): string[] {
  return ['/ping', ...(aipHealthRoute === undefined ? [] : [aipHealthRoute])];
}

/** The routes of PORT, in the order of the routers: a platform may choose a path that another route has. */
export function routesOfService(config: DocumentSettings): DescribedRoute[] {
  const { aipPredictRoute: predictRoute, maxInstances, playground } = config;
  return [
    ...describeHealth({ aliases: aliasesOfHealth(config), withDetails: false }),
    ...describeInvocations({ predictRoute, maxInstances }),
    ...describePredict({ maxInstances }),
    ...describeLineage(),
    ...describeTfServingRest(),
    ...describeOpenInferenceRest(),
    ...describeFeedback(),
    ...describeModels(),
    ...describeExamples(),
    ...(playground ? describePages() : []),
    ...describeDocument(),
  ];
}

/** The routes of ADMIN_PORT. */
export function routesOfAdminPort(): DescribedRoute[] {
  return [...describeHealth({ aliases: [], withDetails: true }), ...describeAdmin(), ...describeAdminDocument()];
}

/** Generators of clients do not know `items: false` of tuples, whose minItems and maxItems say the same. */
const OPTIONS: CreateDocumentOptions = {
  override({ jsonSchema }) {
    if ((jsonSchema.items as unknown) === false) delete jsonSchema.items;
  },
};

/** The document of PORT. */
export function describeService(config: DocumentSettings): OpenApi {
  const routes = routesOfService(config);
  const hasKeys = config.apiKeysFile !== undefined;
  const described: ZodOpenApiObject = {
    openapi: '3.1.1',
    info: { title: 'tensorgate', description: ABOUT, ...INFO },
    servers: [{ url: '/' }],
    ...(hasKeys ? KEYS : { security: [] }),
    paths: pathsOf(routes, hasKeys),
  };
  return addExamples(createDocument(described, OPTIONS), routes);
}

/** The document of ADMIN_PORT. */
export function describeAdminPort(): OpenApi {
  const routes = routesOfAdminPort();
  const described: ZodOpenApiObject = {
    openapi: '3.1.1',
    info: { title: 'tensorgate: metrics, health and log level', ...INFO },
    servers: [{ url: '/' }],
    security: [],
    paths: pathsOf(routes, false),
  };
  return addExamples(createDocument(described, OPTIONS), routes);
}

const KEYS: Pick<ZodOpenApiObject, 'security' | 'components'> = {
  security: [{ bearerKey: [] }, { headerKey: [] }],
  components: {
    securitySchemes: {
      bearerKey: { type: 'http', scheme: 'bearer', description: 'An API key as a bearer token (RFC 6750).' },
      headerKey: { type: 'apiKey', in: 'header', name: 'X-API-Key', description: 'An API key.' },
    },
  },
};

/** The first route of a path and method is the one that answers. Without API keys no answer is 401. */
function pathsOf(routes: readonly DescribedRoute[], hasKeys: boolean): ZodOpenApiPathsObject {
  const paths: ZodOpenApiPathsObject = {};
  for (const { path, method, operation } of routes) {
    const responses = { ...operation.responses };
    if (!hasKeys) delete responses['401'];
    paths[path] = { [method]: { ...operation, responses }, ...paths[path] };
  }
  return paths;
}
