import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FairQueue } from './fair-queue.ts';

type Item = { readonly tenant: string; readonly images: number; readonly name: string };

/** `a1 a2 b1`: the first and second request of tenant a and the first of b, with one image each; `c1:8` has eight. */
function items(words: string): Item[] {
  return words.split(' ').map((word) => {
    const [name = '', images = '1'] = word.split(':');
    return { tenant: name.charAt(0), images: Number(images), name };
  });
}

function queueOf(words: string): FairQueue<Item> {
  const queue = new FairQueue<Item>();
  for (const item of items(words)) queue.add(item);
  return queue;
}

/** Takes so many requests, all by default. */
function take(queue: FairQueue<Item>, count = Number.POSITIVE_INFINITY): string {
  const names: string[] = [];
  for (let item = queue.next(); item && names.length < count; item = queue.next()) {
    queue.take(item);
    names.push(item.name);
  }
  return names.join(' ');
}

const ORDERS: readonly [string, waiting: string, served: string][] = [
  ['the requests of one tenant stay in order', 'a1 a2 a3', 'a1 a2 a3'],
  ['two tenants take turns', 'a1 a2 a3 b1 b2 b3', 'a1 b1 a2 b2 a3 b3'],
  ['a tenant with fewer requests finishes earlier', 'a1 a2 a3 a4 b1 c1 c2', 'a1 b1 c1 a2 c2 a3 a4'],
  ['a batch costs its tenant the following turns', 'a1:4 a2:4 b1 b2 b3 b4 b5', 'a1 b1 b2 b3 b4 a2 b5'],
];
for (const [behaviour, waiting, served] of ORDERS) {
  test(behaviour, () => {
    const queue = queueOf(waiting);
    assert.equal(
      queue.images,
      items(waiting).reduce((sum, { images }) => sum + images, 0),
    );
    assert.equal(take(queue), served);
    assert.deepEqual([queue.size, queue.images, queue.next()], [0, 0, undefined]);
  });
}

test('a tenant saves up no turns while it has nothing waiting', () => {
  const queue = queueOf('a1 a2 a3 a4');
  take(queue, 2);
  for (const item of items('b1 b2')) queue.add(item);
  assert.equal(take(queue), 'a3 b1 a4 b2');
});

test('a tenant that sends a batch at a time pays for each, though its line is empty in between', () => {
  const queue = queueOf('s1 s2 s3 s4 s5 s6 s7 s8 s9 b1:8');
  const served: Record<string, number> = { s: 0, b: 0 };
  for (let round = 0; round < 2000; round += 1) {
    const item = queue.next();
    assert.ok(item);
    queue.take(item);
    served[item.tenant] = (served[item.tenant] ?? 0) + item.images;
    // Each client sends its next request when it has its answer.
    queue.add(item);
  }
  const { s = 0, b = 0 } = served;
  assert.ok(Math.abs(s - b) <= 8, `${s} single images and ${b} of batches`);
});

test('ahead of a new request are those of its tenant, and as many images of each other tenant', () => {
  const queue = queueOf('a1 a2 a3 a4 a5 b1');
  assert.equal(queue.ahead({ tenant: 'a', images: 1 }), 6);
  assert.equal(queue.ahead({ tenant: 'b', images: 1 }), 3);
  assert.equal(queue.ahead({ tenant: 'c', images: 1 }), 2);
});

test('the newest request of the tenant with most images is evicted, if that tenant has more than the new one', () => {
  assert.equal(new FairQueue<Item>().toEvict({ tenant: 'a', images: 1 }), undefined);
  const queue = queueOf('a1 a2 a3 b1');
  assert.equal(queue.toEvict({ tenant: 'b', images: 1 })?.name, 'a3');
  assert.equal(queue.toEvict({ tenant: 'a', images: 1 }), undefined);
  assert.equal(queue.toEvict({ tenant: 'b', images: 2 }), undefined);
});

test('a removed request is not taken, and removing it twice changes nothing', () => {
  const queue = queueOf('a1 b1');
  const first = queue.next();
  assert.ok(first);
  queue.remove(first);
  queue.remove(first);
  assert.equal(queue.size, 1);
  assert.equal(take(queue), 'b1');
});
