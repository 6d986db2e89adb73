import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FairQueue } from './fair-queue.ts';

type Item = { readonly tenant: string; readonly lanes: number; readonly name: string };

/** `a1 a2 b1` are the first and second of tenant a and the first of b, of one lane each; `c1:8` has eight. */
function items(words: string): Item[] {
  return words.split(' ').map((word) => {
    const [name = '', lanes = '1'] = word.split(':');
    return { tenant: name.charAt(0), lanes: Number(lanes), name };
  });
}

function drain(queue: FairQueue<Item>): string {
  const names: string[] = [];
  for (let item = queue.take(); item; item = queue.take()) names.push(item.name);
  return names.join(' ');
}

const ORDERS: readonly [string, waiting: string, served: string][] = [
  ['one tenant is served in order', 'a1 a2 a3', 'a1 a2 a3'],
  ['two take turns', 'a1 a2 a3 b1 b2 b3', 'a1 b1 a2 b2 a3 b3'],
  ['who has less is through sooner', 'a1 a2 a3 a4 b1 c1 c2', 'a1 b1 c1 a2 c2 a3 a4'],
  ['a large one is paid for by the next turns', 'a1:4 a2:4 b1 b2 b3 b4 b5', 'a1:4 b1 b2 b3 b4 a2:4 b5'],
];
for (const [what, waiting, served] of ORDERS) {
  test(what, () => {
    const queue = new FairQueue<Item>();
    for (const item of items(waiting)) queue.add(item);
    assert.equal(
      queue.lanes,
      items(waiting).reduce((sum, { lanes }) => sum + lanes, 0),
    );
    assert.equal(drain(queue), served.replaceAll(/:\d+/g, ''));
    assert.deepEqual([queue.size, queue.lanes, queue.next()], [0, 0, undefined]);
  });
}

test('who was away has saved up no turns', () => {
  const queue = new FairQueue<Item>();
  for (const item of items('a1 a2 a3 a4')) queue.add(item);
  queue.take();
  queue.take();
  for (const item of items('b1 b2')) queue.add(item);
  assert.equal(drain(queue), 'b1 a3 b2 a4');
});

test('what goes before a newcomer: its own, and of each other tenant no more than its own turn is long', () => {
  const queue = new FairQueue<Item>();
  for (const item of items('a1 a2 a3 a4 a5 b1')) queue.add(item);
  assert.equal(queue.ahead({ tenant: 'a', lanes: 1 }), 6);
  assert.equal(queue.ahead({ tenant: 'b', lanes: 1 }), 3);
  assert.equal(queue.ahead({ tenant: 'c', lanes: 1 }), 2);
});

test('the newest of the tenant with most in the queue has to go, and the newcomer itself where nobody has more', () => {
  const queue = new FairQueue<Item>();
  assert.equal(queue.loser({ tenant: 'a', lanes: 1 }), undefined);
  const [, , third, fourth] = items('a1 a2 a3 b1');
  for (const item of [...items('a1 a2'), ...(third && fourth ? [third, fourth] : [])]) queue.add(item);
  assert.equal(queue.loser({ tenant: 'b', lanes: 1 }), third);
  assert.equal(queue.loser({ tenant: 'a', lanes: 1 }), undefined);
  if (third) queue.remove(third);
  if (third) queue.remove(third);
  assert.equal(queue.size, 3);
});
