/** Holds openapi.json to the routes of express: each one is described, and nothing else is. */
import assert from 'node:assert/strict';
import { METHODS } from 'node:http';
import { describe, test } from 'node:test';
import type { Express } from 'express';
import { readConfig } from '../../gateway/config/read.ts';
import type { DescribedRoute } from '../../gateway/http/openapi/route.ts';
import { type ApplicationsOptions, type HttpParts, openApplications } from '../../gateway/wiring/applications.ts';
import {
  describeAdminPort,
  describeService,
  routesOfAdminPort,
  routesOfService,
} from '../../gateway/wiring/openapi/document.ts';

/** A route of express, as its package `router` keeps it. */
type Layer = {
  readonly route?: { readonly path: string | RegExp; readonly methods: Readonly<Record<string, true>> };
  readonly handle: { readonly stack?: readonly Layer[] };
  match(path: string): boolean;
};

/** A path of AIP_PREDICT_ROUTE, and one of AIP_HEALTH_ROUTE, with characters that express reads as patterns. */
const VERTEX = { 'aip-predict-route': '/v1/endpoints/1:predict', 'aip-health-route': '/v1/endpoints/1' };

/** The routes with their methods, without those that only refuse all other methods. */
function layersOf(stack: readonly Layer[]): Layer[] {
  return stack.flatMap((layer) => [
    ...layersOf(layer.handle.stack ?? []),
    ...(methodsOf(layer).length > 0 ? [layer] : []),
  ]);
}

function methodsOf({ route }: Layer): string[] {
  const methods = Object.keys(route?.methods ?? {}).filter((method) => method !== '_all');
  const isAll = METHODS.every((method) => methods.includes(method.toLowerCase()));
  return isAll ? [] : methods;
}

/** The applications with parts that are never called: only their routes are looked at. */
function applications(settings: Record<string, string>) {
  const config = readConfig(settings, {});
  const line = { stages: { route: {} }, watch: { states: {} } };
  const options = { config, line, metrics: {}, lifecycle: {}, log: {} } as unknown as ApplicationsOptions;
  const parts = { door: () => () => undefined, codec: {} } as unknown as HttpParts;
  const { service, admin } = openApplications(options, parts);
  const stackOf = ({ router }: Express) => layersOf(router.stack as unknown as Layer[]);
  return { config, service: stackOf(service), admin: stackOf(admin) };
}

/** A path that a route matches: a number for each parameter. */
const sample = ({ path }: DescribedRoute) => path.replace(/\{\w+\}/g, '1');

/** Checks that each described route reaches a route of express, and that each of those is reached. */
function compare(layers: readonly Layer[], described: readonly DescribedRoute[]): void {
  const reached = new Map<Layer, Set<string>>();
  for (const route of described) {
    const first = layers.find((layer) => layer.match(sample(route)) && layer.route?.methods[route.method]);
    assert.ok(first, `${route.method} ${route.path} is described, and no route`);
    reached.set(first, (reached.get(first) ?? new Set()).add(route.method));
  }
  for (const layer of layers) {
    for (const method of methodsOf(layer)) {
      assert.ok(reached.get(layer)?.has(method), `${method} ${layer.route?.path} is a route, and not described`);
    }
  }
}

describe('openapi.json and the routes of express', () => {
  for (const [name, settings] of Object.entries({ 'by default': {}, 'on Vertex AI': VERTEX })) {
    test(`of PORT ${name}`, () => {
      const { config, service } = applications(settings);
      assert.ok(service.length > 12);
      compare(service, routesOfService(config));
    });
  }

  test('of ADMIN_PORT', () => {
    const { admin } = applications({});
    assert.ok(admin.length > 5);
    compare(admin, routesOfAdminPort());
  });

  test('a route that is missing on either side is found', () => {
    const { config, service } = applications({});
    const routes = routesOfService(config);
    assert.throws(() => compare(service, routes.slice(0, -1)), /get \/openapi.json is a route, and not described/);
    assert.throws(() => compare(service.slice(0, -1), routes), /get \/openapi.json is described, and no route/);
  });
});

test('the items of no schema are a bare true or false, which generators of clients do not read', () => {
  const bare = (node: unknown): boolean =>
    typeof node === 'object' &&
    node !== null &&
    (('items' in node && typeof node.items === 'boolean') || Object.values(node).some(bare));
  assert.equal(bare(describeService(readConfig({}, {}))), false);
});

test('API keys are asked for where there is a file of keys, and never for health and pages', () => {
  const open = describeService(readConfig({}, {}));
  assert.deepEqual(open.security, []);
  assert.doesNotMatch(JSON.stringify(open), /"401"/);
  const closed = describeService(readConfig({ 'api-keys-file': 'keys.yaml' }, {}));
  assert.deepEqual(closed.security, [{ bearerKey: [] }, { headerKey: [] }]);
  for (const [path, { get, post, put }] of Object.entries(closed.paths ?? {})) {
    const { security, responses = {} } = get ?? post ?? put ?? {};
    const isOpen = /\/health\/|^\/ping$|^\/(?:docs)?$/.test(path);
    assert.equal('401' in responses, !isOpen, path);
    assert.deepEqual(security, isOpen ? [] : undefined, path);
  }
});

test('every operation has an id of its own, and MAX_INSTANCES bounds the pictures', () => {
  const service = describeService(readConfig({ ...VERTEX, 'max-instances': '7' }, {}));
  for (const document of [service, describeAdminPort()]) {
    const ids = Object.values(document.paths ?? {}).flatMap((path) =>
      Object.values(path as object).map(({ operationId }) => operationId),
    );
    assert.deepEqual(ids, [...new Set(ids)]);
  }
  assert.match(JSON.stringify(service.components?.schemas?.Pictures), /"maxItems":7/);
});
