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
  const latest = (name: string) => ({ card: { name } }) as Binding;
  const route = createRoute({ cards: new Map(cards.map((card) => [card.name, card])), backend: {} as Backend, latest });
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
