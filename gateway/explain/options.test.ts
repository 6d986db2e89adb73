import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GatewayError } from '../errors.ts';
import { readOptions, requireOptions } from './options.ts';

const refused = (message: string | RegExp) => (error: unknown) =>
  error instanceof GatewayError &&
  error.kind === 'invalid_request' &&
  (typeof message === 'string' ? error.message === message : message.test(error.message));

test('numbers may be numbers or text, and the rest is left to the method', () => {
  const given = { explain: 'shapley', 'explain.budget': '500', 'explain.error': 0.1, 'explain.seed': 7, other: 1 };
  assert.deepEqual(readOptions(given, 'query '), {
    method: 'shapley',
    budget: 500,
    error: 0.1,
    seed: 7,
    format: 'json',
    place: 'query ',
  });
  assert.equal(readOptions({ top: 3 }, ''), undefined);
  assert.equal(readOptions({ explain: null, 'explain.budget': null }, ''), undefined);
});

test('a wrong value, an unknown name, and options without a method are refused by name', () => {
  const cases = [
    [{ explain: 'lime' }, 'parameters.explain: occlusion or shapley or integrated-gradients or xrai'],
    [{ explain: 'shapley', 'explain.budget': 1.5 }, 'parameters.explain.budget: a whole number from 2 to 1000000'],
    [{ explain: 'shapley', 'explain.budget': '-5' }, 'parameters.explain.budget: a whole number from 2 to 1000000'],
    [{ explain: 'shapley', 'explain.error': 2 }, 'parameters.explain.error: a number from 0 to 1'],
    [{ explain: 'shapley', 'explain.seed': true }, 'parameters.explain.seed: a whole number from 0 to 4294967295'],
    [{ explain: 'shapley', 'explain.target': '' }, 'parameters.explain.target: the name of a class or an output'],
    [{ 'explain.budget': 5 }, /^parameters\.explain\.budget: needs explain too: occlusion, /],
    [
      { explain: 'shapley', 'explain.sample': 5 },
      /^parameters\.explain\.sample: not a parameter; known are explain\.target, /,
    ],
  ] as const;
  for (const [given, message] of cases) assert.throws(() => readOptions(given, 'parameters.'), refused(message));
});

test('an option of another method is refused', () => {
  const options = readOptions({ explain: 'occlusion', 'explain.samples': 5, 'explain.budget': 9 }, 'query ');
  assert.ok(options);
  assert.throws(
    () => requireOptions(options, ['window', 'stride']),
    refused('query explain.samples: is not for occlusion; leave it out'),
  );
  requireOptions(options, ['samples']);
});
