/** Tokens for Google Cloud Storage, from servers that stand for the metadata server and for Google's token endpoint. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { startOrigin } from '../test-origin.ts';
import { createGcsStore } from './gcs.ts';

const OBJECT = { scheme: 'gs:', bucket: 'my-photos', name: 'open/a b.jpg' } as const;

/** Sets variables for one test. */
function setVariables(t: TestContext, variables: Readonly<Record<string, string>>): void {
  Object.assign(process.env, variables);
  t.after(() => Object.keys(variables).forEach((name) => void delete process.env[name]));
}

test('a file of Workload Identity Federation gives a token, which is kept', async (t) => {
  const asked: URLSearchParams[] = [];
  const google = await startOrigin(t, async (request, response) => {
    asked.push(new URLSearchParams(await text(request)));
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ access_token: 'of-the-file', expires_in: 3600, token_type: 'Bearer' }));
  });
  const folder = await mkdtemp(path.join(tmpdir(), 'key-'));
  t.after(() => rm(folder, { recursive: true }));
  const [subject, file] = [path.join(folder, 'subject'), path.join(folder, 'credentials.json')];
  await writeFile(subject, 'token-of-the-pod');
  const credentials = {
    type: 'external_account',
    audience: '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/provider',
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    token_url: google.url,
    credential_source: { file: subject },
  };
  await writeFile(file, JSON.stringify(credentials));
  setVariables(t, { GOOGLE_APPLICATION_CREDENTIALS: file });

  const store = createGcsStore();
  const atOnce = await Promise.all([store.request(OBJECT), store.request(OBJECT)]);
  for (const { url, headers } of [...atOnce, await store.request(OBJECT)]) {
    assert.equal(url.href, 'https://storage.googleapis.com/storage/v1/b/my-photos/o/open%2Fa%20b.jpg?alt=media');
    assert.deepEqual(headers, { authorization: 'Bearer of-the-file' });
  }
  assert.equal(asked.length, 1);
  assert.equal(asked[0]?.get('subject_token'), 'token-of-the-pod');
  assert.equal(asked[0]?.get('scope'), 'https://www.googleapis.com/auth/devstorage.read_only');
});

test('the metadata server gives the token of Workload Identity', async (t) => {
  const metadata = await startOrigin(t, (request, response) => {
    assert.equal(request.headers['metadata-flavor'], 'Google');
    response.setHeader('metadata-flavor', 'Google').setHeader('content-type', 'application/json');
    const isToken = request.url?.startsWith('/computeMetadata/v1/instance/service-accounts/default/token');
    response.end(isToken ? JSON.stringify({ access_token: 'of-the-pod', expires_in: 3600 }) : '{}');
  });
  setVariables(t, {
    GCE_METADATA_HOST: new URL(metadata.url).host,
    HOME: '/nonexistent',
    CLOUDSDK_CONFIG: '/nonexistent',
  });
  const { headers } = await createGcsStore().request(OBJECT);
  assert.deepEqual(headers, { authorization: 'Bearer of-the-pod' });
});
