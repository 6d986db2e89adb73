/** The doctor against real origins. The settings that it names must allow the URL. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { runCli } from '../../../tests/cli.ts';
import { type Origin, redirectTo, startOrigin } from '../../../tests/origin.ts';
import { readConfig } from '../../config/read.ts';
import { type Diagnosis, diagnose } from './diagnosis.ts';
import { diagnosisText } from './text.ts';

const image = (name: string) => readFile(new URL(`../../../tests/golden/images/${name}`, import.meta.url));

let origin: Origin;
before(async () => {
  origin = await startOrigin({
    '/good.jpg': await image('jpg-420.jpg'),
    '/half.jpg': await image('jpg-bad-truncated-half.jpg'),
    '/bomb.png': await image('bomb-png-50000x50000-declared.png'),
    '/picture.tif': await image('tif-rgb8-be.tif'),
    '/page.html': (_request, response) => response.setHeader('Content-Type', 'text/html').end('<html>'),
    '/moved': redirectTo('/good.jpg?token=secret'),
    '/inside': redirectTo('http://10.1.2.3/x.jpg'),
  });
});
after(() => origin.close());

const ask = (url: string, settings: Record<string, string> = {}) => diagnose(url, readConfig({}, settings));
const refusals = ({ hops }: Diagnosis) =>
  hops
    .flatMap(({ rules, addresses }) => [...rules, ...addresses.flatMap((one) => one.rules)])
    .filter((one) => one.refused);
const allowed = () => ({ FETCH_ALLOW: '127.0.0.1', FETCH_PORTS: `80,${origin.port}` });

describe('the command', () => {
  test('exits with 0 and describes every hop and the picture if a prediction can use it', async () => {
    const { code, stdout } = await runCli(['doctor', `${origin.url}/moved`], { env: allowed() });
    assert.equal(code, 0, stdout);
    assert.match(stdout, /\/moved\n {2}read as {2}host 127\.0\.0\.1, port \d+\n[\s\S]*302, redirects to \/good\.jpg\n/);
    assert.match(stdout, /\/good\.jpg\n[\s\S]*200, no Content-Type\ndownloaded {2}[\d.]+ kB in \d+ ms\n/);
    assert.match(stdout, /picture {5}jpeg, \d+ x \d+ pixels\nyes: /);
    assert.doesNotMatch(stdout, /secret/);
  });

  test('exits with 1 and the reason if not, also as JSON, and with 2 for wrong usage', async () => {
    const { code, stdout } = await runCli(['doctor', '--json', 'http://10.1.2.3:8080/a.jpg']);
    assert.equal(code, 1);
    const { gets, failure, hops } = JSON.parse(stdout);
    assert.deepEqual([gets, failure.status, failure.kind], [false, 403, 'source_forbidden']);
    assert.deepEqual(
      hops[0].addresses[0].rules.map((one: { rule: string; refused: boolean }) => [one.rule, one.refused]),
      [
        ['denied-address', false],
        ['address', true],
        ['port', true],
      ],
    );
    assert.equal((await runCli(['doctor', 'http://a.com/', 'http://b.com/'])).code, 2);
    const wrong = await runCli(['doctor', '--fetch-allow', '*', 'http://a.com/']);
    assert.deepEqual([wrong.code, /FETCH_ALLOW: "\*" cannot be read/.test(wrong.stderr)], [2, true]);
  });
});

test('the settings that it names allow the URL', async () => {
  const url = `${origin.url}/good.jpg`;
  const lifts = refusals(await ask(url)).map(({ liftedBy = '' }) => liftedBy);
  const settings = lifts.map((lift) => /^(\w+)=(\S+)/.exec(lift)?.slice(1) ?? assert.fail(lift));
  assert.deepEqual(
    settings.map(([name]) => name),
    ['FETCH_ALLOW', 'FETCH_PORTS'],
  );
  assert.equal((await ask(url, Object.fromEntries(settings))).failure, undefined);
  assert.equal((await ask(url, { FETCH_ALLOW_PRIVATE: 'true' })).failure, undefined);
});

test('a host is described with all its addresses and the findings on each', async () => {
  const { hops, failure } = await ask(`http://localhost:${origin.port}/good.jpg`, { FETCH_ALLOW_PRIVATE: 'true' });
  assert.equal(failure, undefined);
  const rulesOf = (wanted: string) => hops[0]?.addresses.find(({ address }) => address === wanted)?.rules;
  assert.deepEqual(
    rulesOf('127.0.0.1')?.map(({ text }) => text),
    ['127.0.0.1 is not in FETCH_DENY', '127.0.0.1 is private (loopback)', `port ${origin.port} is open`],
  );
});

test('each rule is named: scheme, lists, private name, address, port', async () => {
  const cases: readonly (readonly [url: string, settings: Record<string, string>, rules: string[]])[] = [
    ['ftp://example.com/', {}, ['scheme']],
    ['http://a.example/', { FETCH_DENY: 'a.example' }, ['deny-list']],
    ['http://a.example/', { FETCH_ALLOW: 'b.example' }, ['allow-list']],
    ['http://metadata.google.internal/', {}, ['metadata-name']],
    ['http://localhost/', {}, ['private-name']],
    ['http://10.1.2.3/', {}, ['address']],
    ['http://10.1.2.3/', { FETCH_DENY: '10.0.0.0/8', FETCH_ALLOW_PRIVATE: 'true' }, ['denied-address']],
    [origin.url, { FETCH_ALLOW: '127.0.0.1' }, ['port']],
    [`${origin.url}/inside`, allowed(), ['address']],
  ];
  for (const [url, settings, rules] of cases) {
    const diagnosis = await ask(url, settings);
    assert.deepEqual(
      refusals(diagnosis).map(({ rule }) => rule),
      rules,
      url,
    );
    assert.equal(diagnosis.failure?.kind, 'source_forbidden');
  }
});

test('an unusable picture is described, with the error of a prediction', async () => {
  const cases = [
    ['/half.jpg', 'jpeg', 'image_unreadable'],
    ['/bomb.png', 'png', 'image_too_large'],
    ['/picture.tif', 'tiff', 'image_unsupported'],
    ['/page.html', undefined, 'source_not_image'],
    ['/gone', undefined, 'source_failed'],
  ] as const;
  for (const [path, format, kind] of cases) {
    const diagnosis = await ask(`${origin.url}${path}`, allowed());
    assert.deepEqual([diagnosis.picture?.format, diagnosis.failure?.kind], [format, kind], path);
    assert.match(diagnosisText(diagnosis), new RegExp(`no: a prediction is answered 422 ${kind}`));
  }
});

test('a URL that is invalid or contains a password is not printed', async () => {
  for (const url of ['http://me:secret@8.8.8.8/', 'secret', 'http://[fe80::1%25secret]/']) {
    const diagnosis = await ask(url);
    assert.equal(diagnosis.failure?.kind, 'invalid_url');
    assert.doesNotMatch(diagnosisText(diagnosis) + JSON.stringify(diagnosis), /secret/);
  }
});
