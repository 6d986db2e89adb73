/** Photos in buckets through the whole gateway: moto's S3, which checks signatures and policies, and fake-gcs-server. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runCli } from '../cli.ts';
import { predict, type RunningGateway, startGateway } from '../gateway.ts';
import { floatTensor, type ModelServer, startModelServer, XCEPTION } from '../model-server.ts';
import { CLASSES, modelsFolder } from '../models.ts';
import { startOrigin } from '../origin.ts';
import { type Gcs, missing, type S3, startGcs, startS3 } from './stores.ts';

const PHOTO = fileURLToPath(new URL('../golden/images/jpg-420.jpg', import.meta.url));
/** Names are taken literally. */
const NAME = 'open/a b#2.jpg';
const STRANGE_NAME = "open/a b+c 100%25 (1)?x=1#2 'é'.jpg";
const BUCKETS = 's3://photos,s3://closed,s3://folders/open/,gs://my-photos,gs://folders/open/';

/** A home without the clouds' own files, and no metadata server. */
const NOTHING = { HOME: '/nonexistent', AWS_EC2_METADATA_DISABLED: 'true' };

let s3: S3;
let gcs: Gcs;
let model: ModelServer;
let gateway: RunningGateway;
let big: string;

/** The settings with which both stores are open. */
const settings = () => ({
  ...NOTHING,
  FETCH_BUCKETS: BUCKETS,
  AWS_ENDPOINT_URL_S3: s3.url,
  STORAGE_EMULATOR_HOST: gcs.url,
  AWS_ACCESS_KEY_ID: s3.keyId,
  AWS_SECRET_ACCESS_KEY: s3.secret,
});

before(async (t) => {
  if (missing) return;
  const folder = await mkdtemp(path.join(tmpdir(), 'bucket-'));
  (t as TestContext).after(() => rm(folder, { recursive: true }));
  big = path.join(folder, 'big.jpg');
  await writeFile(big, Buffer.alloc(1_100_000, 1));
  const files = { [NAME]: PHOTO, 'big.jpg': big, 'text.jpg': fileURLToPath(import.meta.url) };
  const inBucket = (bucket: string) =>
    Object.fromEntries(Object.entries(files).map(([name, file]) => [`${bucket}/${name}`, file]));
  [s3, gcs, model] = await Promise.all([
    startS3(
      { ...inBucket('photos'), ...inBucket('folders'), 'closed/a.jpg': PHOTO },
      { readable: ['photos/*', 'folders/*'] },
    ),
    startGcs({ ...inBucket('my-photos'), ...inBucket('folders'), [`my-photos/${STRANGE_NAME}`]: PHOTO }),
    startModelServer({
      ...XCEPTION,
      onPredict: ({ inputs }) => {
        const count = inputs.input_8?.shape[0] ?? 0;
        return {
          dense_7: floatTensor(
            [count, 10],
            Array.from({ length: count * 10 }, (_, at) => at % 10),
          ),
        };
      },
    }),
  ]);
  const MODELS = await modelsFolder(t as TestContext);
  gateway = await startGateway({ ...settings(), TF_SERVING_HOST: model.target, MODELS, MAX_IMAGE_BYTES: '1MB' });
  await gateway.ready();
});

after(async () => {
  if (missing) return;
  assert.equal(await gateway.stop(), 0);
  model.close();
  await Promise.all([s3.close(), gcs.close()]);
});

describe('photos in buckets', { skip: missing }, () => {
  test('are read by their literal names, from both stores in one request', async () => {
    const urls = [
      `s3://photos/${NAME}`,
      `gs://my-photos/${STRANGE_NAME}`,
      `s3://folders/${NAME}`,
      `GS://folders/${NAME}`,
    ];
    const response = await predict(gateway, { instances: urls.map((url) => ({ url })) });
    const { predictions } = (await response.json()) as { predictions: object[] };
    assert.equal(response.status, 200);
    assert.deepEqual(predictions, Array(4).fill(Object.fromEntries(CLASSES.map((name, at) => [name, at]))));
  });

  const failures: readonly (readonly [string, number, string, number?])[] = [
    ['s3://photos/gone.jpg', 422, 'source_failed', 404],
    ['gs://my-photos/gone.jpg', 422, 'source_failed', 404],
    ['s3://closed/a.jpg', 422, 'source_failed', 403],
    ['s3://other/a.jpg', 403, 'source_forbidden'],
    ['gs://photos/a.jpg', 403, 'source_forbidden'],
    ['s3://folders/big.jpg', 403, 'source_forbidden'],
    ['s3://photos/big.jpg', 422, 'source_too_large'],
    ['gs://my-photos/big.jpg', 422, 'source_too_large'],
    ['s3://photos/text.jpg', 422, 'source_not_image'],
    ['s3://folders/open/../big.jpg', 403, 'source_forbidden'],
    ['s3://photos', 400, 'invalid_url'],
    ['http://169.254.169.254/latest/meta-data/', 403, 'source_forbidden'],
  ];
  for (const [url, status, kind, sourceStatus] of failures)
    test(`${url} is answered ${status} ${kind}`, async () => {
      const response = await predict(gateway, { url });
      const problem = (await response.json()) as Record<string, unknown>;
      assert.deepEqual([response.status, problem.kind, problem.source_status], [status, kind, sourceStatus]);
    });

  test('do not open the endpoint of the store to URLs', async () => {
    for (const { url } of [s3, gcs]) assert.equal((await predict(gateway, { url: `${url}/photos/a.jpg` })).status, 403);
  });

  test('are shown by the doctor, also where a secret is wrong', async () => {
    const { code, stdout } = await runCli(['doctor', `s3://photos/${NAME}`], { env: settings() });
    assert.equal(code, 0, stdout);
    assert.match(
      stdout,
      /read as {2}bucket photos\n {2}passed {3}bucket-list: FETCH_BUCKETS opens it in s3:\/\/photos\n {2}answer {3}200/,
    );
    const wrong = await runCli(['doctor', `s3://photos/${NAME}`], {
      env: { ...settings(), AWS_SECRET_ACCESS_KEY: 'other' },
    });
    assert.match(wrong.stdout, /answer {3}403[\s\S]*answered 422 source_failed/);
    const closed = await runCli(['doctor', 's3://photos/a.jpg'], { env: { FETCH_BUCKETS: '' } });
    assert.match(
      closed.stdout,
      /REFUSED {2}bucket-list: s3:\/\/photos is not in FETCH_BUCKETS\n\s+FETCH_BUCKETS=s3:\/\/photos would allow it/,
    );
  });

  test('are read with the role of a web identity (IRSA)', async (t) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'token-'));
    t.after(() => rm(folder, { recursive: true }));
    const token = path.join(folder, 'token');
    await writeFile(token, 'header.e30.signature');
    // A web identity asks for its keys without a signature.
    const own = await startS3({ [`photos/${NAME}`]: PHOTO }, { readable: ['photos/*'], unchecked: 1 });
    t.after(() => own.close());
    const env = {
      ...NOTHING,
      FETCH_BUCKETS: BUCKETS,
      AWS_ENDPOINT_URL: own.url,
      AWS_REGION: 'us-east-1',
      AWS_ROLE_ARN: own.role,
      AWS_WEB_IDENTITY_TOKEN_FILE: token,
    };
    const { code, stdout } = await runCli(['doctor', `s3://photos/${NAME}`], { env });
    assert.equal(code, 0, stdout);
  });

  test('are read with the keys of the instance, from an address that the guard refuses', async () => {
    const keys = {
      Code: 'Success',
      AccessKeyId: s3.keyId,
      SecretAccessKey: s3.secret,
      Token: '',
      Expiration: '2099-01-01T00:00:00Z',
    };
    const metadata = await startOrigin({
      '/latest/api/token': Buffer.from('session'),
      '/latest/meta-data/iam/security-credentials/': Buffer.from('role'),
      '/latest/meta-data/iam/security-credentials/role': Buffer.from(JSON.stringify(keys)),
    });
    try {
      const { AWS_ACCESS_KEY_ID: _id, AWS_SECRET_ACCESS_KEY: _secret, ...others } = settings();
      const instance = { AWS_EC2_METADATA_DISABLED: '', AWS_EC2_METADATA_SERVICE_ENDPOINT: metadata.url };
      const { code, stdout } = await runCli(['doctor', `s3://photos/${NAME}`], { env: { ...others, ...instance } });
      assert.equal(code, 0, stdout);
      assert.ok(metadata.hits.includes('/latest/meta-data/iam/security-credentials/role'));
    } finally {
      await metadata.close();
    }
  });

  test('cannot be read without credentials, which the log explains and the client is told', async () => {
    const env = { ...NOTHING, FETCH_BUCKETS: BUCKETS, AWS_ENDPOINT_URL_S3: s3.url };
    const { code, stdout } = await runCli(['doctor', 's3://photos/a.jpg'], { env });
    assert.equal(code, 1);
    assert.match(
      stdout,
      /answered 502 source_failed\n.*the gateway has no credentials for the bucket\n.*Could not load credentials/,
    );
  });

  test('need settings that can be read', async () => {
    const cases: readonly (readonly [Record<string, string>, RegExp])[] = [
      [{ FETCH_BUCKETS: 'my-photos' }, /FETCH_BUCKETS: "my-photos" cannot be read, or matches nothing/],
      [
        { FETCH_BUCKETS: 's3://photos', AWS_ENDPOINT_URL_S3: 'minio:9000' },
        /AWS_ENDPOINT_URL_S3=minio:9000: needs http/,
      ],
      [{ FETCH_BUCKETS: 's3://photos', AWS_REGION: 'a.evil/' }, /AWS_REGION=a\.evil\/: needs the name of a region/],
    ];
    for (const [env, message] of cases) {
      const { code, stderr } = await runCli(['doctor', 's3://photos/a.jpg'], { env });
      assert.equal(code, 2);
      assert.match(stderr, message);
    }
  });
});
