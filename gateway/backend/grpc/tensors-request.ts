/** A request with any inputs. The tensors are copied once, into the memory that is sent. */
import type { TensorsTarget } from '../../domain/backend.ts';
import { inTurns } from '../../domain/steps.ts';
import type { Tensor } from '../../domain/tensor.ts';
import { GatewayError } from '../../errors.ts';
import { BackwardWriter } from '../../tensor/backward-writer.ts';
import type { Pool } from '../../tensor/pool.ts';
import { MAX_MESSAGE_BYTES } from './channel.ts';
import { prefixed } from './framing.ts';
import type { PredictMessages } from './protocol.ts';
import { mostBytes } from './request-size.ts';
import { checkVersion } from './version.ts';

/** Larger requests take memory of the pool, in steps of this size, so that requests of about one size share it. */
const STEP_BYTES = 64 * 1024;

export type FramedTensors = {
  /** The request with gRPC's prefix. */
  readonly framed: Buffer;
  /** Returns the memory to the pool. Leave that of a failed call to the garbage collector: something may still read it. */
  release(): void;
};

/** Writes the request. Throws `body_too_large` above the limit. */
export async function frameTensors(
  { writeTensors }: Pick<PredictMessages, 'writeTensors'>,
  pool: Pool,
  target: TensorsTarget,
  inputs: ReadonlyMap<string, Tensor>,
): Promise<FramedTensors> {
  checkVersion(target.servable.version);
  const needed = mostBytes(target, inputs);
  const isPooled = needed > STEP_BYTES;
  const end = isPooled ? Math.ceil(needed / STEP_BYTES) * STEP_BYTES : needed;
  if (end > MAX_MESSAGE_BYTES) {
    throw new GatewayError('body_too_large', 'The tensors are too large for one request; send fewer instances.');
  }
  const memory = isPooled ? pool.take(end) : new ArrayBuffer(end);
  const writer = new BackwardWriter(new Uint8Array(memory), end);
  await inTurns(writeTensors(writer, target, inputs));
  return { framed: prefixed(memory, writer.start, end), release: () => isPooled && pool.give(memory) };
}
