import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isAnswer } from './answer.ts';
import { blocksIn } from './markdown.ts';

test('an answer is the same text, and numbers are the same as far as they are shown', () => {
  const real = '{"pants":0.6251156,"id":"a1","ok":true,"count":12,"low":-1.5e-7}\n';
  for (const shown of [
    real,
    '{"pants":0.625,"id":"a1","ok":true,"count":12,"low":-1.5e-7}',
    '{"pants":0.62515,"id":"…","ok":true,"count":12,"low":…}',
    '{"pants":0.6,…}',
  ]) {
    assert.ok(isAnswer(shown, real), shown);
  }
  for (const shown of [
    '',
    '{}',
    '{"pants":0.626,"id":"a1","ok":true,"count":12,"low":-1.5e-7}',
    '{"pants":0.625,"id":"a2","ok":true,"count":12,"low":-1.5e-7}',
    '{"pants":0.625,"id":"a1","ok":true,"count":13,"low":-1.5e-7}',
    '{"shoes":0.625,"id":"a1","ok":true,"count":12,"low":-1.5e-7}',
    '{"pants":0.625,"id":"a1","ok":true,"count":12',
  ]) {
    assert.ok(!isAnswer(shown, real), shown);
  }
});

test('the blocks of a page have their language, their line and the comment before them', () => {
  const page =
    '# Title\n\n<!-- run: server -->\n```sh\nmake run\n```\n\ntext\n```json\n{}\n```\n`code` ```no block```\n';
  assert.deepEqual(blocksIn(page), [
    { language: 'sh', text: 'make run\n', line: 4, run: 'server' },
    { language: 'json', text: '{}\n', line: 9, run: undefined },
  ]);
});
