/** The public port has no admin routes and nothing that changes which models are served. */
import assert from 'node:assert/strict';
import { glob, readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { parse, parseAllDocuments } from 'yaml';
import { useClothingGateway } from '../clothing-gateway.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const jpeg = await readFile(path.join(ROOT, 'tests/golden/images/jpg-420.jpg'));

const service = useClothingGateway();

/** Routes of other servers. The gateway has them on the admin port or not at all. */
const ADMIN_ROUTES = [
  ...['/metrics', '/log-level', '/admin', '/admin/reload', '/reload', '/config', '/env', '/.env', '/package.json'],
  ...['/debug', '/debug/pprof/heap', '/debug/vars', '/heapdump', '/heap-snapshot', '/actuator/heapdump', '/json/list'],
  ...['/monitoring/prometheus/metrics', '/server-status', '/shutdown', '/quitquitquit'],
];

/** Routes that manage models in other servers: TorchServe, Triton, TF-Serving, KServe's ModelMesh. */
const MANAGEMENT: readonly (readonly [method: string, path: string])[] = [
  ['POST', '/models?url=http://169.254.169.254/model.mar'],
  ['PUT', '/models/clothing-model?min_worker=9'],
  ['DELETE', '/models/clothing-model'],
  ['POST', '/v2/repository/index'],
  ['POST', '/v2/repository/models/clothing-model/load'],
  ['POST', '/v2/repository/models/clothing-model/unload'],
  ['POST', '/v1/config'],
  ['POST', '/tensorflow.serving.ModelService/HandleReloadConfigRequest'],
];

async function ask(method: string, where: string): Promise<readonly [number, string]> {
  const headers = { 'Content-Type': 'application/json' };
  const response = await fetch(where, { method, headers, ...(method !== 'GET' && { body: '{}' }) });
  const { kind = '' } = (await response.json()) as { kind?: string };
  return [response.status, kind];
}

test('G7: admin routes are 404 on the public port', async (t) => {
  for (const method of ['GET', 'POST', 'PUT']) {
    for (const route of ADMIN_ROUTES) {
      assert.deepEqual(await ask(method, service.gateway.url + route), [404, 'not_found'], `${method} ${route}`);
    }
  }
  assert.equal((await fetch(`${service.gateway.adminUrl}/metrics`)).status, 200, 'it is on the admin port');
  t.diagnostic(`came: ${ADMIN_ROUTES.length * 3} x 404`);
});

test('G7: no Service, Ingress or published port exposes the admin port', async () => {
  const files = await Array.fromAsync(glob('kubernetes/{base,components,kind,gke}/**/*.yaml', { cwd: ROOT }));
  const texts = await Promise.all(files.map((file) => readFile(path.join(ROOT, file), 'utf8')));
  const manifests = texts.flatMap((text) => parseAllDocuments(text).map((document) => document.toJS()));
  const exposed = manifests.filter((manifest) => /^(Service|Ingress|HTTPRoute|Gateway)$/.test(manifest?.kind));
  assert.ok(exposed.some(({ kind }) => kind === 'Service') && exposed.some(({ kind }) => kind === 'Ingress'));
  for (const manifest of exposed) assert.doesNotMatch(JSON.stringify(manifest), /"admin"|9697/, manifest.metadata.name);
  const { services } = parse(await readFile(path.join(ROOT, 'docker-compose.yml'), 'utf8'));
  assert.deepEqual(
    services.gateway.ports.filter((port: string) => port.endsWith(':9697')),
    [],
  );
});

test('G7: error answers of the admin port have no stack trace and no file path', async () => {
  const responses = [
    fetch(`${service.gateway.adminUrl}/log-level`, { method: 'PUT', body: 'x'.repeat(100) }),
    fetch(`${service.gateway.adminUrl}/log-level`, {
      method: 'PUT',
      body: 'x',
      headers: { 'Content-Encoding': 'zip' },
    }),
    fetch(`${service.gateway.adminUrl}/%E0%A4%A`),
  ];
  for (const response of await Promise.all(responses)) {
    assert.ok(response.status >= 400 && response.status < 500);
    assert.doesNotMatch(await response.text(), /node_modules|\.ts|\.js|at \w+/);
  }
});

test('G8: no request loads or unloads a model', async (t) => {
  for (const [method, route] of MANAGEMENT) {
    // Errors below /v2 have no kind.
    const notFound = [404, route.startsWith('/v2/') ? '' : 'not_found'];
    // GET /models lists the models; it has no other method.
    const expected = route.startsWith('/models?') ? [405, 'method_not_allowed'] : notFound;
    assert.deepEqual(await ask(method, service.gateway.url + route), expected, `${method} ${route}`);
  }
  t.diagnostic(`came: ${MANAGEMENT.length} x 404 or 405`);
});

test('G8: a path or an address as the model name is an unknown model', async (t) => {
  const calls = service.model.calls.length;
  const names = [
    '/etc/passwd',
    '../churn',
    '..%2f..%2fetc',
    'http://169.254.169.254/',
    'gs://bucket/model',
    'file:///m',
  ];
  for (const name of names) {
    const where = `${service.gateway.url}/predict?model=${encodeURIComponent(name)}`;
    const response = await fetch(where, { method: 'POST', headers: { 'Content-Type': 'image/jpeg' }, body: jpeg });
    const { kind } = (await response.json()) as { kind: string };
    assert.deepEqual([name, response.status, kind], [name, 404, 'model_not_found']);
  }
  assert.equal(service.model.calls.length, calls, 'the model server got no call');
  t.diagnostic(`came: ${names.length} x 404 model_not_found`);
});
