import assert from 'node:assert/strict';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { GatewayError } from '../../errors.ts';
import { statusError, toGatewayError } from '../grpc/failure.ts';
import { createLookUp } from './look-up.ts';
import { loadProtocol } from './messages.ts';

/** GetModelMetadataResponse { model_spec { version { value: 7 } } }. */
const VERSION_7 = Buffer.of(0x0a, 0x04, 0x12, 0x02, 0x08, 0x07);

const { signal } = new AbortController();

/** Look-ups of a server that fails GetModelStatus with this code. */
function lookUpOf(code: status) {
  return createLookUp(async ({ path }) => {
    if (!path.endsWith('/GetModelStatus')) return VERSION_7;
    throw toGatewayError({ code, details: '' }, signal, statusError(code, ''));
  }, loadProtocol());
}

test('A18: the newest version of a server without GetModelStatus is that of its metadata', async () => {
  const versions = await lookUpOf(status.UNIMPLEMENTED).status('m', signal);
  assert.deepEqual(versions, [{ version: 7, state: 'AVAILABLE', error: '' }]);
});

test('any other failure of GetModelStatus is thrown', async () => {
  await assert.rejects(
    lookUpOf(status.NOT_FOUND).status('m', signal),
    (error) => error instanceof GatewayError && error.kind === 'model_not_found',
  );
});
