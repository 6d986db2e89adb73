import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Attributes, Span } from '../../domain/span.ts';
import { GatewayError, type Kind } from '../../errors.ts';
import { arrivalAttributes, describeEnd, spanName } from './request-span.ts';

const NO_TRACE = { traceparent: undefined, tracestate: undefined };

/** What a span is told of the end of a request. */
function endOf(method: string, kind?: Kind) {
  const told: { attributes: Attributes; failed: boolean } = { attributes: {}, failed: false };
  const span = {
    setAttributes: (attributes: Attributes) => Object.assign(told, { attributes }),
    fail: () => Object.assign(told, { failed: true }),
  } as unknown as Span;
  const failure = kind && new GatewayError(kind, 'why');
  describeEnd(span, { method, status: failure?.status ?? 200, failure });
  return [Object.values(told.attributes), told.failed];
}

test('a span has the name of its method and route, and the method alone where the route is unknown', () => {
  const name = (method: string, route: string) => spanName({ ...NO_TRACE, method, route });
  assert.equal(name('POST', '/v1/models/{model}:predict'), 'POST /v1/models/{model}:predict');
  assert.equal(name('gRPC', '/inference.GRPCInferenceService/ModelInfer'), 'inference.GRPCInferenceService/ModelInfer');
  assert.equal(name('gRPC', 'none'), 'gRPC');
  assert.equal(arrivalAttributes({ ...NO_TRACE, method: 'gRPC', route: 'none' })['rpc.method'], undefined);
});

for (const [method, kind, ...end] of [
  ['POST', undefined, [200, undefined], false],
  ['POST', 'invalid_request', [400, 'invalid_request'], false],
  ['POST', 'model_failed', [502, 'model_failed'], true],
  ['gRPC', undefined, ['OK', undefined], false],
  ['gRPC', 'invalid_request', ['INVALID_ARGUMENT', 'invalid_request'], false],
  ['gRPC', 'overloaded', ['RESOURCE_EXHAUSTED', 'overloaded'], false],
  ['gRPC', 'model_timeout', ['DEADLINE_EXCEEDED', 'model_timeout'], true],
] as const) {
  test(`${method}: ${kind ?? 'success'} ${end[1] ? 'fails' : 'does not fail'} the span`, () => {
    assert.deepEqual(endOf(method, kind), end);
  });
}
