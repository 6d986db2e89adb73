import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Instance } from './instance.ts';
import { sampleOf } from './log.ts';
import { picturesIn } from './pictures.ts';

const HEAD = { kind: 'prediction', schema: 1, time: '2026-11-30T15:00:00.000Z', model: 'm' };
const NONE = { period: {}, pictures: new Map<string, string>(), limit: 1000 };

const tensors = (values: object, digests: object = {}) => ({ ...HEAD, input: { kind: 'tensors', values, digests } });
const picture = (sha256: string | null, url: string | null) => ({
  ...HEAD,
  input: { kind: 'picture', sha256, bytes: 9, format: 'jpeg', width: 4, height: 2, url },
});

async function logOf(t: TestContext, lines: readonly (object | string)[]): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'replay-'));
  t.after(() => rm(folder, { recursive: true }));
  const texts = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line)));
  await writeFile(path.join(folder, 'a.jsonl'), texts.map((text) => `${text}\n`).join(''));
  return folder;
}

const jsonOf = (instance: Instance | undefined) => (instance && 'json' in instance ? instance.json : undefined);

test('records are sent as they were logged, pictures from files or URLs; the rest is counted by its reason', async (t) => {
  const bytes = Buffer.from('a picture');
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const big = { big: { dtype: 'DT_FLOAT', shape: [100], sha256: null } };
  const folder = await logOf(t, [
    tensors({ tenure: 3, contract: ['monthly'] }),
    JSON.stringify(tensors({ id: 1 })).replace('"id":1', '"id":9007199254740993'),
    picture(sha256, 'https://shop.com/a.jpg'),
    picture(null, 'https://shop.com/b.jpg'),
    picture('0'.repeat(64), null),
    tensors({}, big),
    { ...HEAD, input: { kind: 'relayed', rows: 5, bytes: 100 } },
    { level: 'info', msg: 'a line of the log about a "prediction"' },
    '{"kind":"prediction","schema":1,"ti',
  ]);
  await mkdir(path.join(folder, 'photos/red'), { recursive: true });
  await writeFile(path.join(folder, 'photos/red/a.jpg'), bytes);
  const pictures = await picturesIn([path.join(folder, 'photos')]);
  const { model, instances, replayable, missing, unreadable } = await sampleOf([folder], { ...NONE, pictures });
  assert.deepEqual([model, replayable, unreadable], ['m', 4, 1]);
  assert.deepEqual(Object.fromEntries(missing), { picture: 1, elements: 1, relayed: 1 });
  const [record, long, file, url] = instances;
  assert.equal(jsonOf(record), '{"tenure":3,"contract":["monthly"]}');
  assert.equal(jsonOf(long), '{"id":9007199254740993}');
  assert.deepEqual(file && 'picture' in file && Buffer.from(await file.picture()), bytes);
  assert.equal(jsonOf(url), '{"url":"https://shop.com/b.jpg"}');
  await assert.rejects(picturesIn([path.join(folder, 'none')]), { message: /^--pictures .*none: no such folder$/ });
});

test('of many predictions a random sample is kept, the same in each run', async (t) => {
  const folder = await logOf(
    t,
    Array.from({ length: 5000 }, (_, row) => tensors({ row })),
  );
  const read = async () => (await sampleOf([folder], { ...NONE, limit: 500 })).instances.map(jsonOf);
  const rows = (await read()).map((json) => JSON.parse(json ?? '').row as number);
  assert.deepEqual((await sampleOf([folder], { ...NONE, limit: 500 })).replayable, 5000);
  assert.equal(new Set(rows).size, 500);
  // The mean of 0 to 4999 is 2499.5; that of 500 of them deviates by 61.
  const mean = rows.reduce((sum, row) => sum + row, 0) / rows.length;
  assert.ok(Math.abs(mean - 2499.5) < 5 * 61, `mean ${mean}`);
  assert.deepEqual(
    await read(),
    rows.map((row) => `{"row":${row}}`),
  );
});

test('one model and one period are sent', async (t) => {
  const folder = await logOf(t, [
    { ...tensors({ x: 1 }), model: 'one' },
    { ...tensors({ x: 2 }), time: '2026-12-01T00:00:00.000Z' },
    tensors({ x: 3 }),
  ]);
  const json = async (options: object) => (await sampleOf([folder], { ...NONE, ...options })).instances.map(jsonOf);
  assert.deepEqual(await json({ model: 'one' }), ['{"x":1}']);
  assert.deepEqual(await json({ model: 'm', period: { from: '2026-12-01' } }), ['{"x":2}']);
  await assert.rejects(json({}), { message: /^the log has predictions of m, one: --model says / });
  await assert.rejects(json({ model: 'two' }), { message: 'the log has no predictions of two to send again' });
});
