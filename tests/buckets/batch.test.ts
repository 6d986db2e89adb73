/** `tensorgate batch` from buckets and into them: moto's S3, which checks signatures and policies, and fake-gcs-server. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parquetReadObjects } from 'hyparquet';
import type { Row } from '../../gateway/cli/batch/row.ts';
import { runCli } from '../cli.ts';
import { MAIN, type RunningGateway, startGateway } from '../gateway.ts';
import { EQUAL_SCORES, isWarmUp, type ModelServer, startClothingModel } from '../model-server.ts';
import { CLASSES, modelsFolder } from '../models.ts';
import { until } from '../until.ts';
import { type Gcs, missing, type S3, startGcs, startS3 } from './stores.ts';

const PHOTO = fileURLToPath(new URL('../golden/images/jpg-420.jpg', import.meta.url));
const PHOTOS = 40;
const NAMES = Array.from({ length: PHOTOS }, (_, index) => `${String(index).padStart(2, '0')} é&+.jpg`);

let s3: S3;
let gcs: Gcs;
let model: ModelServer;
let gateway: RunningGateway;
/** Called for each prediction; it may wait. */
let beforeAnswer: () => Promise<void> | void = () => {};

before(async (t) => {
  if (missing) return;
  const folder = await mkdtemp(path.join(tmpdir(), 'bucket-'));
  (t as TestContext).after(() => rm(folder, { recursive: true }));
  const list = path.join(folder, 'list.ndjson');
  const b64 = (await readFile(PHOTO)).toString('base64');
  await writeFile(list, `${JSON.stringify({ b64 })}\n`.repeat(20));
  const broken = path.join(folder, 'broken.ndjson');
  await writeFile(broken, '{"b64": ""}\n{b64}\n');
  const photos = Object.fromEntries(NAMES.map((name) => [`work/photos/${name}`, PHOTO]));
  const files = { ...photos, 'work/photos/notes.md': list, 'work/list.ndjson': list, 'work/broken.ndjson': broken };
  const onPredict: Parameters<typeof startClothingModel>[0] = async (call) => {
    if (!isWarmUp(call)) await beforeAnswer();
    return EQUAL_SCORES;
  };
  [s3, gcs, model] = await Promise.all([
    startS3({ ...files, 'closed/a.jpg': PHOTO }, { writable: ['work'] }),
    startGcs(files),
    startClothingModel(onPredict),
  ]);
  const MODELS = await modelsFolder(t as TestContext);
  gateway = await startGateway({ TF_SERVING_HOST: model.target, MODELS });
  await gateway.ready();
});

after(async () => {
  if (missing) return;
  assert.equal(await gateway.stop(), 0);
  model.close();
  await Promise.all([s3.close(), gcs.close()]);
});

const env = () => ({
  HOME: '/nonexistent',
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_ENDPOINT_URL_S3: s3.url,
  STORAGE_EMULATOR_HOST: gcs.url,
  AWS_ACCESS_KEY_ID: s3.keyId,
  AWS_SECRET_ACCESS_KEY: s3.secret,
});

const argsOf = (input: string, output: string) => ['batch', input, '-o', output, '--gateway', gateway.url];

async function finish(input: string, output: string) {
  const { code, stdout, stderr } = await runCli(argsOf(input, output), { env: env() });
  assert.equal(code, 0, stderr);
  return { stdout, stderr };
}

/** The objects of the bucket `work`, read with the command's own client. */
async function openWork(scheme: 'gs:' | 's3:') {
  Object.assign(process.env, env());
  const { openBucket } = await import('../../gateway/cli/batch/bucket/client.ts');
  return openBucket({ scheme, bucket: 'work', name: '' });
}

const rowsIn = (text: string): Row[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

for (const scheme of ['s3:', 'gs:'] as const)
  describe(`in a bucket of ${scheme}//`, { skip: missing }, () => {
    const at = (name: string) => `${scheme}//work/${name}`;

    test('a batch that was killed goes on from another machine, and every photo is in the output once', async () => {
      const bucket = await openWork(scheme);
      const [input, output] = [at('photos/'), at('out/photos.ndjson')];
      const journal = () => Array.fromAsync(bucket.list('out/photos.ndjson.journal/'));
      // After 15 answers the model server answers no more, until the first part of the journal is in the bucket.
      let answers = 0;
      const hold = Promise.withResolvers<void>();
      beforeAnswer = () => {
        answers += 1;
        return answers > 15 ? hold.promise : undefined;
      };
      const child: ChildProcess = spawn(process.execPath, [MAIN, ...argsOf(input, output)], {
        env: { ...process.env, ...env() },
        stdio: 'ignore',
      });
      const exited = once(child, 'exit');
      await until(async () => (await journal()).length > 0 || child.exitCode !== null, 60_000);
      assert.equal(child.exitCode, null);
      child.kill('SIGKILL');
      await exited;
      hold.resolve();
      beforeAnswer = () => {};
      assert.deepEqual(await Array.fromAsync(bucket.list('out/photos.ndjson')), await journal());

      const { stderr } = await finish(input, output);
      assert.match(stderr, /goes on: 15 of 40 are done/);
      const rows = rowsIn(String(await bucket.read('out/photos.ndjson')));
      const prediction = Object.fromEntries(CLASSES.map((name) => [name, 1]));
      assert.deepEqual(
        rows,
        NAMES.map((name, index) => ({ index, input: at(`photos/${name}`), prediction })),
      );
      assert.deepEqual(await journal(), []);
    });

    test('an object of instances is read, and Parquet and CSV are written', async () => {
      const bucket = await openWork(scheme);
      await finish(at('list.ndjson'), at('out/list.parquet'));
      const bytes = await bucket.read('out/list.parquet');
      const rows = await parquetReadObjects({ file: Uint8Array.from(bytes).buffer });
      assert.deepEqual(
        rows.map((row) => [row.index, row['prediction.hat']]),
        Array.from({ length: 20 }, (_, index) => [index, 1]),
      );
      await finish(at('list.ndjson'), at('out/list.csv'));
      const lines = String(await bucket.read('out/list.csv'))
        .trimEnd()
        .split('\n');
      assert.equal(lines[0], ['index', ...CLASSES.map((name) => `prediction.${name}`)].join(','));
      assert.deepEqual(
        lines.slice(1).map((line) => Number(line.split(',')[0])),
        [...Array(20).keys()],
      );
    });

    test('a kill after the output was written leaves only the journal to remove', async () => {
      const bucket = await openWork(scheme);
      const output = at('out/again.ndjson');
      await finish(at('list.ndjson'), output);
      const { code, stderr } = await runCli(argsOf(at('list.ndjson'), output), { env: env() });
      assert.deepEqual([code, /again\.ndjson: exists already/.test(stderr)], [2, true], stderr);

      const { surveyOf } = await import('../../gateway/cli/batch/survey.ts');
      const { ndjsonInput } = await import('../../gateway/cli/batch/input/lines.ts');
      const file = path.join(await mkdtemp(path.join(tmpdir(), 'list-')), 'list.ndjson');
      await bucket.download('list.ndjson', file);
      const survey = await surveyOf(ndjsonInput({ file, name: file }), file);
      await rm(path.dirname(file), { recursive: true });
      const { total, fingerprint } = survey;
      const head = { input: at('list.ndjson'), fingerprint, total, shard: '0/1', model: '//' };
      const before = String(await bucket.read('out/again.ndjson'));
      const [row] = before.split('\n');
      await bucket.write('out/again.ndjson.journal/1.ndjson', new Blob([`${JSON.stringify(head)}\n${row}\n`]));
      assert.match((await finish(at('list.ndjson'), output)).stderr, /is written already/);
      assert.deepEqual(await Array.fromAsync(bucket.list('out/again')), ['out/again.ndjson']);
      assert.equal(String(await bucket.read('out/again.ndjson')), before);
    });

    test('what is not there, cannot be read or may not be read is named', async () => {
      for (const [input, output, status, message] of [
        [at('none.csv'), at('o.csv'), 2, /work\/none\.csv: no such object; write a folder with a slash/],
        [at('none/'), at('o.csv'), 2, /work\/none\/: no pictures there/],
        [at('broken.ndjson'), at('o.csv'), 2, /work\/broken\.ndjson:2: needs one JSON value a line/],
        [at('list.ndjson'), at('o.xml'), 2, /--output .*o\.xml: needs a file with/],
        [at('list.ndjson'), `${scheme}//Work/o.csv`, 2, /--output .*Work\/o\.csv: needs gs:\/\/BUCKET\/NAME/],
        [at('list.ndjson'), `${scheme}//closed/o.csv`, 1, /\/\/closed\/o\.csv: 40[34] /],
      ] as const) {
        const { code, stderr } = await runCli(argsOf(input, output), { env: env() });
        assert.match(stderr, message);
        assert.equal(code, status, stderr);
      }
    });
  });
