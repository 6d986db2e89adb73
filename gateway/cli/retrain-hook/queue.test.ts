import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { parseMatches } from './match.ts';
import { type Alert, readAlerts } from './message.ts';
import { RetrainQueue } from './queue.ts';

const alert = (fingerprint: string, own: Partial<Alert> = {}): Alert => ({
  status: 'firing',
  labels: { alertname: 'TensorgateDrift', model: 'churn', feature: fingerprint },
  annotations: {},
  startsAt: '2026-11-30T12:00:00Z',
  fingerprint,
  ...own,
});

/** A queue, and the fingerprints of each run. The test ends the runs. */
function openQueue(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const runs: string[][] = [];
  let end = () => {};
  const queue = new RetrainQueue({
    cooldownMs: 60_000,
    run: (alerts) => {
      runs.push(alerts.map(({ fingerprint }) => fingerprint));
      return new Promise((resolve) => {
        end = resolve;
      });
    },
  });
  const give = (...alerts: Alert[]) => {
    const outcomes = alerts.map((one) => queue.add(one));
    queue.startNext();
    return outcomes;
  };
  const endRun = async () => {
    end();
    await Promise.resolve().then(() => undefined);
  };
  return { queue, runs, give, endRun };
}

test('one run at a time; all that comes meanwhile is one more run, after the pause', async (t) => {
  const { queue, runs, give, endRun } = openQueue(t);
  assert.deepEqual(give(alert('a'), alert('b')), ['accepted', 'accepted']);
  assert.equal(queue.state, 'running');
  assert.deepEqual(give(alert('c'), alert('d'), alert('c')), ['accepted', 'accepted', 'repeated']);
  await endRun();
  assert.deepEqual([queue.state, queue.waiting], ['cooling down', 2]);
  assert.deepEqual(give(alert('e')), ['accepted']);
  t.mock.timers.tick(59_999);
  assert.deepEqual(runs, [['a', 'b']]);
  t.mock.timers.tick(1);
  assert.deepEqual(runs, [
    ['a', 'b'],
    ['c', 'd', 'e'],
  ]);
  assert.deepEqual([queue.state, queue.waiting], ['running', 0]);
});

test('an alert that a run has already starts no other, until the pause is over', async (t) => {
  const { queue, runs, give, endRun } = openQueue(t);
  give(alert('a'));
  assert.deepEqual(give(alert('a')), ['repeated']);
  await endRun();
  assert.deepEqual(give(alert('a')), ['repeated']);
  assert.deepEqual(give(alert('a', { startsAt: '2026-11-30T13:00:00Z' })), ['accepted']);
  t.mock.timers.tick(60_000);
  await endRun();
  t.mock.timers.tick(60_000);
  assert.equal(queue.state, 'idle');
  assert.deepEqual(give(alert('a')), ['accepted']);
  assert.equal(runs.length, 3);
});

test('an alert that is resolved before its run leaves the queue', async (t) => {
  const { queue, runs, give, endRun } = openQueue(t);
  give(alert('a'));
  give(alert('b'));
  assert.deepEqual(give(alert('b', { status: 'resolved' })), ['resolved']);
  await endRun();
  t.mock.timers.tick(60_000);
  assert.deepEqual([runs, queue.state], [[['a']], 'idle']);
});

test('the queue is bounded, and takes nothing new after stop', async (t) => {
  const { queue, runs, give, endRun } = openQueue(t);
  give(alert('a'));
  const outcomes = Array.from({ length: 101 }, (_, index) => queue.add(alert(`${index}`)));
  assert.deepEqual([queue.waiting, outcomes.at(-1)], [100, 'dropped']);
  const stopped = queue.stop();
  await endRun();
  await stopped;
  queue.startNext();
  assert.deepEqual([runs.length, queue.state], [1, 'stopping']);
});

test('--on is part of a name or the value of a label in any case, or LABEL=VALUE; all of them must match', () => {
  assert.equal(parseMatches(['drift'])(alert('a')), true);
  assert.equal(parseMatches(['CHURN'])(alert('a')), true);
  assert.equal(parseMatches(['chur'])(alert('a')), false);
  assert.equal(parseMatches(['drift', 'model=churn'])(alert('a')), true);
  assert.equal(parseMatches(['drift', 'model=other'])(alert('a')), false);
  assert.equal(parseMatches(['model=chur'])(alert('a')), false);
  assert.equal(parseMatches(['query=a=b'])(alert('a', { labels: { query: 'a=b' } })), true);
  assert.equal(parseMatches(['drift'])(alert('a', { labels: {} })), false);
  for (const wrong of ['', '=x', 'model=', 'a-b=c']) {
    assert.throws(() => parseMatches([wrong]), new RegExp(`^Error: --on ${wrong}: needs part of an alert's name`));
  }
});

test('a message of another version or form is refused by the name of its field', () => {
  const whole = { version: '4', alerts: [alert('a')], receiver: 'hook', truncatedAlerts: 0 };
  assert.deepEqual(readAlerts(whole), [alert('a')]);
  const mistake = (body: unknown) => (readAlerts(body) as { mistake: string }).mistake;
  assert.match(mistake({ ...whole, version: '3' }), /^version: /);
  assert.match(mistake({ ...whole, alerts: [{ ...alert('a'), startsAt: 'soon' }] }), /^alerts\.0\.startsAt: /);
  assert.match(mistake({ ...whole, alerts: [{ ...alert('a'), labels: { a: 1 } }] }), /^alerts\.0\.labels\.a: /);
  assert.match(mistake(undefined), /^the body: .*needs a message of Alertmanager's webhook, version 4$/);
});
