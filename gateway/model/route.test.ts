import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Backend } from '../domain/backend.ts';
import { GatewayError } from '../errors.ts';
import { parseCard } from './card.ts';
import { createRoute } from './route.ts';
import type { Binding } from './signatures.ts';

const photos = (name: string) => parseCard(`name: ${name}\nimage: {size: [4, 6], scale: tf}\nclasses: [a, b]`, '/m');
const table = parseCard('name: churn', '/m');

/** The model that is selected for `model`, or the error's kind and text. */
async function chosen(cards: ReturnType<typeof parseCard>[], model?: string): Promise<string> {
  const byName = new Map(cards.map((card) => [card.name, card]));
  const states = {
    all: new Map([['broken', { problem: 'broken/model.yaml:1: name: missing' }]]),
    latest: (name: string) => (name === 'new' ? undefined : ({ card: { name } } as Binding)),
  };
  const route = createRoute({ cards: () => byName, states, backend: {} as Backend });
  try {
    return (await route({ model }, new AbortController().signal)).card.name;
  } catch (error) {
    assert.ok(error instanceof GatewayError);
    return `${error.kind} ${error.message}`;
  }
}

test('without a name the only model for images is selected, whatever other models are served', async () => {
  assert.equal(await chosen([photos('m')]), 'm');
  assert.equal(await chosen([table, photos('m')]), 'm');
  assert.equal(await chosen([photos('m'), table, photos('n')]), 'invalid_request query model: choose one of m, n');
  assert.equal(await chosen([table]), 'model_not_found No model here takes images.');
});

test('a name selects a model; the error for a wrong name lists the models for images', async () => {
  const cards = [photos('m'), table, photos('n')];
  assert.equal(await chosen(cards, 'n'), 'n');
  assert.equal(
    await chosen(cards, 'churn'),
    'invalid_request query model: churn takes tensors, not images; for images: m, n',
  );
  assert.equal(await chosen(cards, 'other'), 'model_not_found query model: no such model; for images there are m, n');
});

test('B11: a model that is not ready is 503 with the reason, and the others are served', async () => {
  const cards = [photos('m'), photos('new')];
  assert.equal(
    await chosen(cards, 'broken'),
    'model_unavailable The model broken is not available: broken/model.yaml:1: name: missing',
  );
  assert.equal(await chosen(cards, 'new'), 'model_unavailable The model new is not available: it is not checked yet');
  assert.equal(await chosen(cards, 'm'), 'm');
});
