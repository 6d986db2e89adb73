/** TLS to model servers, with certificates made by openssl for this run. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { ServerCredentials } from '@grpc/grpc-js';
import { ANSWER, connect, failsWith, open, predict } from '../../../tests/backend.ts';
import { predict as predictOverHttp, startGateway, startGatewayFor } from '../../../tests/gateway.ts';
import { floatTensor, startModelServer, XCEPTION } from '../../../tests/model-server.ts';
import { modelsFolder } from '../../../tests/models.ts';
import { until } from '../../../tests/until.ts';
import { openServers } from '../../cli/models/servers.ts';
import { type BackendTls, readTls } from './tls.ts';

const folder = mkdtempSync(join(tmpdir(), 'tensorgate-tls-'));
const file = (name: string) => join(folder, name);
const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** Makes a certificate authority. */
function createAuthority(name: string): void {
  openssl('req', '-x509', ...newKey, '-keyout', `${name}.key`, '-out', `${name}.crt`, '-subj', `/CN=${name}`);
}

/** Makes a certificate for these names, signed by an authority. */
function issue(name: string, { names, by }: { names: string; by: string }): void {
  openssl('req', ...newKey, '-keyout', `${name}.key`, '-subj', `/CN=${name}`, '-out', `${name}.csr`);
  writeFileSync(file(`${name}.ext`), `subjectAltName=${names}`);
  const authority = ['-CA', `${by}.crt`, '-CAkey', `${by}.key`, '-extfile', `${name}.ext`];
  openssl('x509', '-req', '-in', `${name}.csr`, ...authority, '-days', '2', '-out', `${name}.crt`);
}

before(() => {
  createAuthority('authority');
  createAuthority('stranger');
  issue('server', { names: 'DNS:localhost', by: 'authority' });
  issue('other', { names: 'DNS:other.example.com', by: 'authority' });
  issue('forged', { names: 'DNS:localhost', by: 'stranger' });
  issue('unknown', { names: 'DNS:gateway', by: 'stranger' });
  issue('gateway', { names: 'DNS:gateway', by: 'authority' });
});

after(() => rmSync(folder, { recursive: true }));

/** Starts a model server with this certificate, optionally with mTLS; returns its target by name. */
async function serve(t: TestContext, name: string, requiresClient = false): Promise<string> {
  const [private_key, cert_chain] = [readFileSync(file(`${name}.key`)), readFileSync(file(`${name}.crt`))];
  const ca = requiresClient ? readFileSync(file('authority.crt')) : null;
  const credentials = ServerCredentials.createSsl(ca, [{ private_key, cert_chain }], requiresClient);
  const outputs = { dense_7: floatTensor([1, 10], Array(10).fill(1)) };
  const server = await startModelServer({ ...XCEPTION, credentials, onPredict: () => outputs });
  t.after(() => server.close());
  return server.target.replace('127.0.0.1', 'localhost');
}

const trusting = () => readTls({ tfServingCaFile: file('authority.crt') });
const identified = () =>
  readTls({
    tfServingCaFile: file('authority.crt'),
    tfServingCertFile: file('gateway.crt'),
    tfServingKeyFile: file('gateway.key'),
  });

test('a trusted server is called over TLS, and a plain-text client gets no answer', async (t) => {
  const target = await serve(t, 'server');
  const { backend } = await connect(t, target, { channel: { tls: trusting() } });
  assert.equal((await predict(backend)).version, 1);
  await assert.rejects(predict(open(t, target).backend), failsWith('model_unavailable'));
});

for (const name of ['forged', 'other']) {
  test(`a server whose certificate is ${name === 'other' ? 'for another name' : 'from an unknown authority'} is refused`, async (t) => {
    const { backend } = open(t, await serve(t, name), { channel: { tls: trusting() } });
    await assert.rejects(predict(backend), failsWith('model_unavailable'));
  });
}

test('a plain-text server is refused if TLS is configured', async (t) => {
  const server = await startModelServer({ ...XCEPTION, onPredict: () => ANSWER });
  t.after(() => server.close());
  const { backend } = open(t, server.target.replace('127.0.0.1', 'localhost'), { channel: { tls: trusting() } });
  await assert.rejects(predict(backend), failsWith('model_unavailable'));
});

test('mTLS: a server that requires a client certificate gets it', async (t) => {
  const target = await serve(t, 'server', true);
  const { backend } = await connect(t, target, { channel: { tls: identified() } });
  assert.equal((await predict(backend)).version, 1);
  await assert.rejects(
    predict(open(t, target, { channel: { tls: trusting() } }).backend),
    failsWith('model_unavailable'),
  );
});

test('the models command calls each address and checks the certificate against the name', async (t) => {
  const target = await serve(t, 'server', true);
  using servers = openServers({ host: target, protocol: 'tf-serving' }, identified());
  const [report] = await servers.ask('clothing-model');
  assert.deepEqual(report?.versions, [{ version: 1, state: 'AVAILABLE', error: '' }]);
});

test('new connections use the renewed authority and the renewed client certificate', async (t) => {
  const target = await serve(t, 'server', true);
  const unknown = readTls({
    tfServingCaFile: file('stranger.crt'),
    tfServingCertFile: file('unknown.crt'),
    tfServingKeyFile: file('unknown.key'),
  });
  const { backend } = open(t, target, { channel: { tls: unknown } });
  await assert.rejects(predict(backend), failsWith('model_unavailable'));
  unknown?.renew(identified() as BackendTls);
  await until(() => predict(backend).then(Boolean, () => false));
});

test('a gateway with mTLS takes a renewed certificate, and refuses to start without a CA file', async (t) => {
  const settings = {
    TF_SERVING_HOST: await serve(t, 'server', true),
    TF_SERVING_CA_FILE: file('authority.crt'),
    TF_SERVING_CERT_FILE: file('shown.crt'),
    TF_SERVING_KEY_FILE: file('shown.key'),
    MODELS: await modelsFolder(t),
  };
  const show = (name: string) => {
    for (const kind of ['crt', 'key']) copyFileSync(file(`${name}.${kind}`), file(`shown.${kind}`));
  };
  show('unknown');
  const gateway = await startGatewayFor(t, settings);
  show('gateway');
  await gateway.ready();
  const picture = readFileSync(new URL('../../../tests/golden/images/jpg-420.jpg', import.meta.url));
  assert.equal((await predictOverHttp(gateway, { b64: picture.toString('base64') })).status, 200);
  await assert.rejects(startGateway({ ...settings, TF_SERVING_CA_FILE: '/does/not/exist' }), /ended with 2/);
});

test('unusable files are refused with the name of their setting', () => {
  const ca = { tfServingCaFile: file('authority.crt') };
  const mistakes = [
    [{ tfServingCaFile: file('none') }, /^TF_SERVING_CA_FILE=.*none: cannot be used: no such file$/],
    [{ tfServingCaFile: file('server.ext') }, /^TF_SERVING_CA_FILE=.*server\.ext: cannot be used: /],
    [{ ...ca, tfServingCertFile: file('gateway.crt') }, /set both, or neither/],
    [{ tfServingCertFile: file('gateway.crt'), tfServingKeyFile: file('gateway.key') }, /set TF_SERVING_CA_FILE too/],
    [
      { ...ca, tfServingCertFile: file('gateway.crt'), tfServingKeyFile: file('server.key') },
      /^TF_SERVING_KEY_FILE=.*server\.key: cannot be used: it does not match TF_SERVING_CERT_FILE$/,
    ],
  ] as const;
  for (const [files, words] of mistakes) assert.throws(() => readTls(files), { message: words });
  assert.equal(readTls({}), undefined);
});
