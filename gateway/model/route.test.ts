import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { testContext } from '../domain/test-context.ts';
import { GatewayError } from '../errors.ts';
import { parseCard } from './card.ts';
import { createRoute, type Route } from './route.ts';
import type { Binding } from './signatures.ts';
import { labelsOf, METADATA, OPEN, REFUSED, USABLE, versionsOf } from './test-versions.ts';
import type { ModelVersions } from './versions.ts';

const photos = (name: string, traffic = '{}') =>
  parseCard(`name: ${name}\nimage: {size: [4, 6], scale: tf}\nclasses: [a, b]\ntraffic: ${traffic}`, '/m');
const table = parseCard('name: churn', '/m');

/** No server has any other model. */
const discovery = { find: async () => undefined, states: new Map() };

/** The outcome as text: the version and its servers, or the error's status, kind and text. */
async function outcome(work: ReturnType<Route['resolve']>): Promise<string> {
  try {
    const { card, version, servers } = await work;
    return `${card.name} ${version} on ${[...servers].join()}`;
  } catch (error) {
    assert.ok(error instanceof GatewayError);
    return `${error.status} ${error.kind} ${error.message}`;
  }
}

async function chosen(cards: ReturnType<typeof parseCard>[], name?: string): Promise<string> {
  const byName = new Map(cards.map((card) => [card.name, card]));
  const states = { all: new Map([['broken', { problem: 'broken/model.yaml:1: name: missing' }]]) };
  const model = (asked: string) => {
    const binding = { card: { name: asked }, version: 1 } as Binding;
    const versions = versionsOf({});
    versions.setMetadata('s', 1, METADATA);
    const [served] = versions.all;
    if (served) versions.setVerdict(served, { ...USABLE, binding });
    return asked === 'new' ? undefined : { versions, ...labelsOf({}), look: async () => undefined };
  };
  return outcome(
    createRoute({ cards: () => byName, states, model, discovery, connected: () => ['s'] }).resolve(
      { model: name },
      testContext(),
    ),
  );
}

test('without a name the only model for images is selected, whatever other models are served', async () => {
  assert.equal(await chosen([photos('m')]), 'm 1 on s');
  assert.equal(await chosen([table, photos('m')]), 'm 1 on s');
  assert.equal(await chosen([photos('m'), table, photos('n')]), '400 invalid_request model: choose one of m, n');
  assert.equal(await chosen([table]), 'churn 1 on s', 'a single table needs no name either');
  const tables = [table, parseCard('name: credit', '/m')];
  assert.equal(await chosen(tables), '400 invalid_request model: choose one of churn, credit');
  assert.equal(await chosen([]), '400 invalid_request model: name the model');
});

test('a name selects a model; the error for a wrong name lists the models', async () => {
  const cards = [photos('m'), table, photos('n')];
  assert.equal(await chosen(cards, 'n'), 'n 1 on s');
  assert.equal(await chosen(cards, 'churn'), 'churn 1 on s');
  assert.equal(await chosen(cards, 'other'), '404 model_not_found model: no such model; there are m, churn, n');
});

test('B11: a model that is not ready is 503 with the reason, and the others are served', async () => {
  const cards = [photos('m'), photos('new')];
  assert.equal(
    await chosen(cards, 'broken'),
    '503 model_unavailable The model broken is not available: broken/model.yaml:1: name: missing',
  );
  assert.equal(
    await chosen(cards, 'new'),
    '503 model_unavailable The model new is not available: no version can answer now',
  );
  assert.equal(await chosen(cards, 'm'), 'm 1 on s');
});

/** A route over one model; `look` changes what is known, as polls do. */
function routeTo(
  versions: ModelVersions,
  look = () => {},
  labels: Readonly<Record<string, number>> = {},
  traffic?: string,
) {
  const known = { versions, ...labelsOf(labels), look: async () => look() };
  return createRoute({
    cards: () => new Map([['m', photos('m', traffic)]]),
    states: { all: new Map() },
    model: () => known,
    discovery,
    connected: () => ['a', 'b'],
  });
}

test('A10: only a checked version answers; another one that is named is version_not_proven', async () => {
  const route = routeTo(versionsOf({ 1: { a: USABLE, b: USABLE }, 2: { a: REFUSED }, 3: { a: OPEN } }), undefined, {
    stable: 1,
    next: 2,
  });
  const answers = (asked: object) => outcome(route.resolve(asked, testContext({ deadlineMs: performance.now() + 40 })));
  assert.equal(await answers({}), 'm 1 on a,b');
  assert.equal(await answers({ version: 1 }), 'm 1 on a,b');
  assert.equal(await answers({ label: 'stable' }), 'm 1 on a,b');
  const never = '409 version_not_proven version 2 of m never answers: parity is differing: it is red';
  assert.equal(await answers({ version: 2 }), never);
  assert.equal(await answers({ label: 'next' }), never);
  assert.equal(
    await answers({ version: 3 }),
    '503 version_not_proven version 3 of m cannot answer yet: its check has not ended; try again later',
  );
  assert.equal(await answers({ version: 4 }), '404 model_not_found version: no model server has version 4 of m');
  assert.equal(await answers({ label: 'gone' }), '404 model_not_found label: no version of m has this label');
});

test('A10: a request waits for the check of the only version, and for that of a version it names', async () => {
  const versions = versionsOf({ 2: { a: OPEN } });
  const route = routeTo(versions);
  const waiting = [{}, { version: 2 }].map((asked) => outcome(route.resolve(asked, testContext())));
  await sleep(5);
  const [served] = versions.all;
  assert.ok(served);
  versions.setVerdict(served, { ...USABLE, binding: { card: { name: 'm' }, version: 2 } as Binding });
  assert.deepEqual(await Promise.all(waiting), ['m 2 on a', 'm 2 on a']);
});

test('A10: a contradicted request is selected again; the error stays where another try would be the same', async () => {
  const versions = versionsOf({ 1: { a: USABLE }, 2: { b: USABLE } });
  const withdraw = () => versions.forget('b', 2);
  const route = routeTo(versions, withdraw);
  const failed = await route.resolve({ version: 2 }, testContext());
  const again = (kind: 'internal' | 'model_not_found' | 'model_unavailable', asked: object) =>
    outcome(route.again(new GatewayError(kind, 'no', { isOutdated: true }), failed, asked, testContext()));
  assert.equal(await again('model_not_found', {}), 'm 1 on a');
  assert.equal(
    await again('model_not_found', { version: 2 }),
    '404 model_not_found version: no model server has version 2 of m',
  );
  const first = await route.resolve({}, testContext());
  const same = route.again(new GatewayError('internal', 'no', { isOutdated: true }), first, {}, testContext());
  assert.equal(await outcome(same), '500 internal no');
});

for (const [traffic, wanted] of [
  ['{}', { few: 'm 3 on a', many: 'm 3 on a' }],
  ['{canary: {version: 3, share: 50%}}', { few: 'm 3 on a', many: 'm 2 on a,b' }],
  ['{stable: 1, canary: {version: 3, share: 50%}}', { few: 'm 3 on a', many: 'm 1 on a' }],
  ['{stable: old, canary: {version: next, share: 50%}}', { few: 'm 2 on a,b', many: 'm 1 on a' }],
  ['{canary: {version: 4, share: 50%}}', { few: 'm 3 on a', many: 'm 3 on a' }],
  ['{canary: {version: 7, share: 50%}}', { few: 'm 3 on a', many: 'm 3 on a' }],
  ['{canary: {version: gone, share: 50%}}', { few: 'm 3 on a', many: 'm 3 on a' }],
] as const)
  test(`requests are split by traffic: ${traffic}; a canary that cannot answer gets none`, async () => {
    const versions = versionsOf({ 1: { a: USABLE }, 2: { a: USABLE, b: USABLE }, 3: { a: USABLE }, 4: { b: REFUSED } });
    const route = routeTo(versions, undefined, { old: 1, next: 2 }, traffic);
    const answer = (id: string) => outcome(route.resolve({}, testContext({ id })));
    // The places of these ids are 0.10 and 0.83.
    assert.deepEqual({ few: await answer('r10'), many: await answer('r16') }, wanted);
    assert.equal(await outcome(route.resolve({ version: 1 }, testContext({ id: 'r10' }))), 'm 1 on a');
  });

test('without its stable version a model has none', async () => {
  const versions = versionsOf({ 1: { a: USABLE } });
  for (const stable of ['2', 'gone'])
    assert.match(
      await outcome(routeTo(versions, undefined, {}, `{stable: ${stable}}`).resolve({}, testContext())),
      /^503 model_unavailable /,
    );
});
