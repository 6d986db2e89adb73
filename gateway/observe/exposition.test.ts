import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expositionOf } from './exposition.ts';
import { createMetrics, showDroppedLines } from './metrics.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const OPEN = 'application/openmetrics-text';

function observed() {
  const metrics = createMetrics({ inFlight: 0, queued: 0, limit: 1 }, { share: 0 });
  showDroppedLines(metrics, () => 7);
  metrics.requests.inc({ route: '/predict', status: 200, kind: 'none' });
  const labels = { route: '/predict' };
  metrics.requestDuration.observe({ labels, value: 0.003, exemplarLabels: { trace_id: TRACE } });
  metrics.requestDuration.observe({ labels, value: 0.004 });
  return metrics.registry;
}

/** The lines of a text that begin so. */
const linesOf = (text: string, start: string) => text.split('\n').filter((line) => line.startsWith(start));

test('OpenMetrics has the trace of an example in its bucket, and counters by their family', async () => {
  const { contentType, text } = await expositionOf(observed(), `${OPEN};version=1.0.0,text/plain;q=0.5`);
  assert.equal(contentType, `${OPEN}; version=1.0.0; charset=utf-8`);
  const [bucket = ''] = linesOf(text, 'tensorgate_request_duration_seconds_bucket{le="0.005"');
  assert.match(bucket, new RegExp(`} 2 # {trace_id="${TRACE}"} 0.003 \\d+\\.?\\d*$`));
  assert.equal(text.match(/trace_id/g)?.length, 1);
  assert.deepEqual(linesOf(text, '# TYPE tensorgate_requests '), ['# TYPE tensorgate_requests counter']);
  assert.deepEqual(linesOf(text, 'tensorgate_requests_total'), [
    'tensorgate_requests_total{route="/predict",status="200",kind="none"} 1',
  ]);
  assert.deepEqual(linesOf(text, 'tensorgate_log_lines_dropped_total'), ['tensorgate_log_lines_dropped_total 7']);
  assert.ok(text.endsWith('\n# EOF\n'));
});

test('the text format has no examples, and the same counters before and after a scrape in OpenMetrics', async () => {
  const registry = observed();
  const counters = async () => {
    const { contentType, text } = await expositionOf(registry, '*/*');
    assert.equal(contentType, 'text/plain; version=0.0.4; charset=utf-8');
    assert.doesNotMatch(text, /trace_id|# EOF/);
    return linesOf(text, 'tensorgate_').filter((line) => line.includes('_total'));
  };
  const before = await counters();
  assert.ok(before.length > 1);
  await expositionOf(registry, OPEN);
  assert.deepEqual(await counters(), before);
});

for (const accept of [
  undefined,
  '',
  '*/*',
  'text/plain',
  `${OPEN};q=0`,
  `${OPEN}; version=1.0.0; q=0.0`,
  `x/${OPEN}`,
]) {
  test(`Accept: ${accept} gets the text format`, async () => {
    assert.match((await expositionOf(observed(), accept)).contentType, /^text\/plain/);
  });
}
