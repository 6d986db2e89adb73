import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TrialWindow } from './trial-window.ts';

test('counts leave the window a sixtieth of it at a time', () => {
  const window = new TrialWindow(60_000);
  for (let second = 0; second < 90; second += 1) {
    window.at(1000 * second).candidate.requests += 1;
    window.at(1000 * second).agreement.same += 2;
  }
  assert.equal(window.total(89_999).candidate.requests, 60);
  assert.equal(window.total(89_999).agreement.same, 120);
  assert.equal(window.total(119_000).candidate.requests, 30);
  assert.equal(window.total(200_000).candidate.requests, 0);
});
