import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'yaml';
import { type CardChange, changedCard } from './edit-card.ts';

const REST = `# How photos become tensors.
name:   clothing-model   # odd spaces stay
image: {size: [299,  299], scale: tf}
`;
const CLASSES = `
# After it.
classes: [dress,
          hat]  # in two lines
`;
const CANARY: CardChange = { path: ['traffic', 'canary'], value: { version: 4, share: '10%' } };

for (const [name, part, changes, wanted] of [
  [
    'a member in a block keeps the comments of the others',
    `traffic:   # why
  # first
  stable: 3              # a label too
  canary: { version: 2, share: 5% }   # slowly
  sticky: header x-user-id   # or a query
`,
    [CANARY],
    `traffic:
  # why
  # first
  stable: 3 # a label too
  canary: { version: 4, share: 10% } # slowly
  sticky: header x-user-id # or a query
`,
  ],
  [
    'a deeper block keeps its indent',
    'traffic:\n    canary:\n        version: 2   # two\n        share: 5%\n',
    [CANARY, { path: ['traffic', 'stable'], value: 'proven' }],
    'traffic:\n    canary:\n        version: 4 # two\n        share: 10%\n    stable: proven\n',
  ],
  [
    'braces stay braces',
    'traffic: {stable: 3, canary: {version: 2, share: 5%}} # x\n',
    [CANARY],
    'traffic: {stable: 3, canary: {version: 4, share: 10%}} # x\n',
  ],
  [
    'the last member takes the field with it',
    'traffic:\n  canary: {version: 2, share: 5%}\n',
    [{ path: ['traffic', 'canary'], value: undefined }],
    '',
  ],
] as const)
  test(`${name}, and all else is as it was`, () => {
    const before = `${REST}${part}${CLASSES}`;
    assert.equal(changedCard(before, changes), `${REST}${wanted}${CLASSES}`);
  });

test('a field that is not there is added at the end', () => {
  const added = 'traffic:\n  canary: { version: 4, share: 10% }\n';
  for (const before of [REST, REST.trimEnd()])
    assert.equal(changedCard(before, [CANARY]), `${REST.trimEnd()}\n${added}`);
  const gone: CardChange = { path: ['shadow'], value: undefined };
  assert.equal(changedCard(REST, [gone]), REST);
  assert.equal(changedCard(`${REST}shadow: {version: 4, share: 10%}`, [gone]), REST);
});

test('a file in braces stays one', () => {
  const changed = changedCard('{"name": "m", "classes": ["a"]}\n', [CANARY]);
  assert.deepEqual(parse(changed), {
    name: 'm',
    classes: ['a'],
    traffic: { canary: { version: 4, share: '10%' } },
  });
});
