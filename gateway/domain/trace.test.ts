import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clientTrace, newTrace, traceparentOf } from './trace.ts';

const ID = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';
const traceOf = (traceparent: string | undefined, tracestate?: string) => clientTrace({ traceparent, tracestate });
const stateOf = (tracestate: string) => traceOf(`00-${ID}-${PARENT}-01`, tracestate)?.state;

test('a valid traceparent is passed on: the same trace, parent and flag', () => {
  for (const flags of ['01', '00', '03']) {
    const trace = traceOf(`00-${ID}-${PARENT}-${flags}`) ?? assert.fail();
    assert.equal(trace.id, ID);
    assert.equal(traceparentOf(trace), `00-${ID}-${PARENT}-${flags === '00' ? '00' : '01'}`);
  }
  assert.equal(traceOf(`cc-${ID}-${PARENT}-01-what the future has`)?.id, ID);
});

const INVALID = [
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
for (const header of INVALID) {
  test(`traceparent ${JSON.stringify(header)} is no trace, whatever tracestate says`, () => {
    assert.equal(traceOf(header, 'vendor=1'), undefined);
  });
}

test('a new trace has random ids and is not recorded', () => {
  const traces = Array.from({ length: 10 }, newTrace);
  assert.equal(new Set(traces.map(({ id }) => id)).size, 10);
  assert.equal(new Set(traces.map(({ spanId }) => spanId)).size, 10);
  for (const trace of traces) assert.match(traceparentOf(trace), /^00-[\da-f]{32}-[\da-f]{16}-00$/);
});

test('tracestate is passed on, without empty members and the spaces between them', () => {
  const key = `t@${'x'.repeat(100)}`;
  for (const [given, passed] of [
    ['rojo=00f067aa0ba902b7,congo=t61rcWkgMzE', 'rojo=00f067aa0ba902b7,congo=t61rcWkgMzE'],
    [' a=1 ,\t, b=x y:z;~ ', 'a=1,b=x y:z;~'],
    [`${key}=1`, `${key}=1`],
    ['', undefined],
    [' , ', undefined],
  ] as const) {
    assert.equal(stateOf(given), passed, given);
  }
});

for (const wrong of [
  'a',
  'a=',
  '=1',
  'A=1',
  'a=1,b',
  'a=1=2',
  'a b=1',
  'a=\u00e9',
  'a=1\x00',
  `a=${'x'.repeat(257)}`,
]) {
  test(`tracestate ${JSON.stringify(wrong.slice(0, 20))} is dropped, the trace stays`, () => {
    assert.equal(traceOf(`00-${ID}-${PARENT}-01`, wrong)?.id, ID);
    assert.equal(stateOf(wrong), undefined);
  });
}

test('of a long tracestate the oldest members are left out, and more than 32 are none', () => {
  const members = Array.from({ length: 32 }, (_, index) => `k${index}=${'v'.repeat(20)}`);
  const passed = stateOf(members.join(',')) ?? '';
  assert.ok(passed.length > 480 && passed.length <= 512, String(passed.length));
  assert.ok(members.join(',').startsWith(`${passed},`));
  assert.equal(stateOf(Array.from({ length: 33 }, (_, index) => `k${index}=1`).join(',')), undefined);
});
