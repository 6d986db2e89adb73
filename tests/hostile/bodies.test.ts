/** Many bodies at once: each within its limit, together more than the memory reserved for bodies. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { type ClientRequest, request } from 'node:http';
import { test } from 'node:test';
import { predict, type Service, startGatewayFor } from '../gateway.ts';
import { startClothingModel } from '../model-server.ts';
import { modelsFolder } from '../models.ts';
import { until } from '../until.ts';

const jpeg = await readFile(new URL('../golden/images/jpg-17x16.jpg', import.meta.url));
const b64 = jpeg.toString('base64');
const BODY_BYTES = 2e6;

type Upload = { readonly sent: ClientRequest; status?: number; retryAfter?: string | undefined };

/** Sends a body except for its last byte. */
function startUpload({ url }: Service, type: string): Upload {
  const headers = { 'Content-Type': type, 'Content-Length': BODY_BYTES };
  const sent = request(`${url}/predict`, { method: 'POST', headers });
  const upload: Upload = { sent };
  sent.on('response', (response) => {
    upload.status = response.statusCode ?? 0;
    upload.retryAfter = response.headers['retry-after'];
    response.resume();
  });
  sent.on('error', () => undefined); // destroyed at the end of the test
  sent.write(Buffer.alloc(BODY_BYTES - 1, 0x20));
  return upload;
}

for (const type of ['application/json', 'image/jpeg', 'multipart/form-data; boundary=b']) {
  test(`F9: of 60 unfinished bodies of ${type} 4 are held in memory, the rest get 503; small ones pass`, async (t) => {
    const model = await startClothingModel();
    t.after(() => model.close());
    const gateway = await startGatewayFor(t, {
      TF_SERVING_HOST: model.target,
      MODELS: await modelsFolder(t),
      MAX_BODY_BYTES: '2MB',
      MAX_IMAGE_BYTES: '2MB',
      // Bodies and answers share their memory: it is the larger of 4 bodies and one answer for each row.
      MAX_OUTPUT_BYTES: '100kB',
    });
    await gateway.ready();
    const uploads = Array.from({ length: 60 }, () => startUpload(gateway, type));
    t.after(() => uploads.forEach(({ sent }) => void sent.destroy()));
    await until(() => uploads.filter(({ status }) => status === 503).length >= 56);
    assert.ok(
      uploads.every(({ status, retryAfter }) => status === undefined || (status === 503 && Number(retryAfter) >= 1)),
    );
    assert.equal((await predict(gateway, { b64 })).status, 200);
    t.diagnostic(
      `came: ${uploads.filter(({ status }) => status === 503).length} of 60 x 503, a small body 200 meanwhile`,
    );

    for (const { sent } of uploads) sent.destroy();
    const large = { b64, padding: ' '.repeat(BODY_BYTES / 2) };
    await until(async () => (await predict(gateway, large)).status === 200);
    const metrics = await gateway.metrics();
    assert.match(metrics, /kind="overloaded"\} \d\d/);
  });
}
