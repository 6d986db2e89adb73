import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openTrace, traceparentOf } from './trace.ts';

const ID = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';

test('a valid traceparent is continued: the same trace and flag, a span of its own', () => {
  for (const flags of ['01', '00', '03']) {
    const trace = openTrace(`00-${ID}-${PARENT}-${flags}`);
    assert.equal(trace.id, ID);
    assert.notEqual(trace.spanId, PARENT);
    assert.equal(traceparentOf(trace), `00-${ID}-${trace.spanId}-${flags === '00' ? '00' : '01'}`);
  }
  assert.equal(openTrace(`cc-${ID}-${PARENT}-01-what the future has`).id, ID);
});

test('any other header starts a trace', () => {
  const wrong = [
    undefined,
    '',
    `ff-${ID}-${PARENT}-01`,
    `00-${'0'.repeat(32)}-${PARENT}-01`,
    `00-${ID}-${'0'.repeat(16)}-01`,
    `00-${ID.toUpperCase()}-${PARENT}-01`,
    `00-${ID}-${PARENT}-01-more`,
    `00-${ID}-${PARENT}`,
    `00-${ID}-${PARENT}-01\n`,
  ];
  const ids = new Set(wrong.map((header) => openTrace(header).id));
  assert.equal(ids.size, wrong.length);
  for (const id of ids) assert.match(id, /^[\da-f]{32}$/);
  assert.ok(!ids.has(ID));
});
