/** The component grpc: the gateway listens where its Services and its network policy say. */
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { after, describe, test } from 'node:test';
import { type Manifest, podsOf } from './manifest.ts';
import { buildCombination, copyManifests } from './overlays.ts';
import { options } from './tools.ts';

type Ports = { readonly ports?: readonly { readonly port: string | number; readonly targetPort?: string }[] };
type Spec = Ports & { readonly ingress?: readonly Ports[] };

/** What the manifests say of the gateway's gRPC port. */
function grpcOf(manifests: readonly Manifest[]) {
  const pod = podsOf(manifests).find(({ owner }) => owner === 'Deployment gateway');
  const [container] = pod?.spec.containers ?? [];
  const specOf = (kind: string, name: string) =>
    manifests.find((one) => one.kind === kind && one.metadata.name === name)?.spec as Spec | undefined;
  const portOf = (service: string) =>
    specOf('Service', service)?.ports?.find(({ targetPort }) => targetPort === 'grpc')?.port;
  return {
    setting: container?.env?.find(({ name }) => name === 'GRPC_PORT')?.value,
    container: container?.ports?.find(({ name }) => name === 'grpc')?.containerPort,
    services: [portOf('gateway'), portOf('gateway-grpc')],
    policy: specOf('NetworkPolicy', 'gateway')?.ingress?.[0]?.ports?.map(({ port }) => port),
  };
}

describe('the gRPC port in Kubernetes', options, async () => {
  if (options.skip) return;
  const copy = await copyManifests();
  after(() => rm(copy, { recursive: true }));

  for (const [components, wanted] of [
    [[], { setting: undefined, container: undefined, services: [undefined, undefined], policy: ['http'] }],
    [['components/grpc'], { setting: '9690', container: 9690, services: [9690, 9690], policy: ['http', 'grpc'] }],
  ] as const) {
    test(`${components.length > 0 ? 'is open' : 'is closed'} with ${components.join() || 'the base alone'}`, async () => {
      const manifests = await buildCombination(copy, { name: '', overlay: 'kind', components });
      assert.deepEqual(grpcOf(manifests), wanted);
    });
  }
});
