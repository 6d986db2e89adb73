import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import path from 'node:path';
import { test } from 'node:test';
import { startGatewayFor } from './gateway.ts';
import { modelsFolder } from './models.ts';
import { exchange } from './raw.ts';

test('with a certificate the public port is HTTPS only and sends HSTS; the admin port stays HTTP', async (t) => {
  const models = await modelsFolder(t);
  const [certFile, keyFile] = [path.join(models, 'tls.crt'), path.join(models, 'tls.key')];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', keyFile];
  execFileSync('openssl', ['req', '-x509', ...key, '-out', certFile, '-subj', '/CN=localhost'], { stdio: 'pipe' });
  const gateway = await startGatewayFor(t, {
    TF_SERVING_HOST: 'localhost:1',
    MODELS: models,
    TLS_CERT_FILE: certFile,
    TLS_KEY_FILE: keyFile,
  });
  const sent = get(`${gateway.url.replace('http:', 'https:')}/health/live`, {
    rejectUnauthorized: false,
    agent: false,
  });
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  answer.resume();
  assert.equal(answer.statusCode, 200);
  assert.equal(answer.headers['strict-transport-security'], 'max-age=31536000');
  assert.doesNotMatch(await exchange(gateway, 'GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n').catch(String), /200 OK/);
  assert.equal((await fetch(`${gateway.adminUrl}/health/live`)).status, 200);
});
