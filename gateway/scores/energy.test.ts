import assert from 'node:assert/strict';
import { test } from 'node:test';
import { energyOf } from './energy.ts';

const near = (actual: number | undefined, expected: number) =>
  assert.ok(actual !== undefined && Math.abs(actual - expected) < 1e-12, `${actual}, expected ${expected}`);

test('the energy is -log sum exp of the logits, and does not overflow', () => {
  near(energyOf([Math.log(1), Math.log(2), Math.log(5)], 'logits'), -Math.log(8));
  near(energyOf([1000, 1000], 'logits'), -1000 - Math.log(2));
  near(energyOf([-1000, -1000], 'logits'), 1000 - Math.log(2));
});

test('one neuron stands for two classes: its energy is the same for both signs', () => {
  near(energyOf([3], 'logits'), -Math.log(Math.exp(1.5) + Math.exp(-1.5)));
  assert.equal(energyOf([3], 'logits'), energyOf([-3], 'logits'));
});

test('labels that do not exclude each other have the sum of their energies', () => {
  near(energyOf([0, Math.log(3)], 'sigmoid-logits'), -(Math.log(2) + Math.log(4)));
});

test('numbers that are no logits have no energy', () => {
  assert.equal(energyOf([0.2, 0.8], 'probabilities'), undefined);
  assert.equal(energyOf([7], 'values'), undefined);
});
