/** Deadlines do not depend on the wall clock, which jumps when NTP corrects it or a machine wakes up. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { predict, startGatewayFor } from '../gateway.ts';
import { EQUAL_SCORES, startModelServer, XCEPTION } from '../model-server.ts';
import { modelsFolder } from '../models.ts';

const jpeg = await readFile(new URL('../golden/images/jpg-420.jpg', import.meta.url));
const HOUR_MS = 3_600_000;
const TIMEOUT_MS = 1500;

/** Loaded into the gateway: SIGUSR2 moves its clock an hour forward, SIGWINCH an hour back. */
const CLOCK = `
  const True = Date;
  let jumpMs = 0;
  globalThis.Date = class extends True {
    constructor(...given) { given.length === 0 ? super(True.now() + jumpMs) : super(...given); }
    static now() { return True.now() + jumpMs; }
  };
  process.on('SIGUSR2', () => { jumpMs += ${HOUR_MS}; }).on('SIGWINCH', () => { jumpMs -= ${HOUR_MS}; });
`;

for (const [direction, signal] of [
  ['forward', 'SIGUSR2'],
  ['back', 'SIGWINCH'],
] as const) {
  test(`F10: the clock jumps an hour ${direction} while a Predict hangs: 504 at the deadline, then 200`, async (t) => {
    const waiting = Promise.withResolvers<void>();
    let isHanging = true;
    const model = await startModelServer({
      ...XCEPTION,
      onPredict() {
        waiting.resolve();
        return isHanging ? new Promise<never>(() => {}) : EQUAL_SCORES;
      },
    });
    t.after(() => model.close());
    const gateway = await startGatewayFor(t, {
      TF_SERVING_HOST: model.target,
      MODELS: await modelsFolder(t),
      REQUEST_TIMEOUT: `${TIMEOUT_MS}ms`,
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(CLOCK)}`,
    });
    await gateway.ready();
    const startedMs = performance.now();
    const answering = predict(gateway, { b64: jpeg.toString('base64') });
    await waiting.promise;
    gateway.process.kill(signal);
    const response = await answering;
    const tookMs = performance.now() - startedMs;
    assert.equal(response.status, 504);
    isHanging = false;
    const next = await predict(gateway, { b64: jpeg.toString('base64') });
    const [line] = await gateway.linesOf(next.headers.get('x-request-id'));
    t.diagnostic(`came: 504 after ${Math.round(tookMs)} of ${TIMEOUT_MS} ms, then ${next.status} at ${line?.time}`);
    assert.ok(tookMs > TIMEOUT_MS - 100 && tookMs < TIMEOUT_MS * 4, `${tookMs} ms`);
    assert.equal(next.status, 200);
    assert.ok(Math.abs(Date.parse(String(line?.time)) - Date.now()) > HOUR_MS / 2, 'the log has the changed clock');
  });
}
