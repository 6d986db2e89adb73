import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { test } from 'node:test';
import express from 'express';
import type { Pass } from '../door/door.ts';
import { createLog } from '../observe/log.ts';
import { createDoor } from './door.ts';
import { drainable } from './draining.ts';
import { createLimitedServer } from './server.ts';

test('a request that fails because the gateway closes its connection is known to be gone at once', async (t) => {
  const { promise, resolve } = Promise.withResolvers<{ before: boolean; after: boolean }>();
  const pass: Pass = async (_arrival, exchange) => {
    const before = exchange.isGone();
    servers.close();
    resolve({ before, after: exchange.isGone() });
  };
  const app = express().use(
    createDoor(
      pass,
      () => undefined,
      () => false,
    )('test', () => assert.fail()),
  );
  const log = createLog('silent', process.stdout);
  const server = createLimitedServer(app, { requestTimeoutMs: 1000, maxConnections: 20, log });
  const servers = drainable(server);
  t.after(() => servers.close());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').on('error', () => undefined);
  t.after(() => socket.destroy());
  socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  assert.deepEqual(await promise, { before: false, after: true });
});
