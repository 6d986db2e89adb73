/** Joins requests of one image: those for the same target that have their pixels within a small window share a Predict. */
import { asGatewayError } from '../errors.ts';
import type { Backend, Prediction, PredictTarget, RequestContext } from '../pipeline/request.ts';
import { sendAlone } from './alone.ts';
import { type JoiningOptions, Joint, type Row, shareOf } from './joint.ts';

/** Rows of a joint call. Larger runs are the model server's to make, which sees the requests of every gateway. */
export const JOINT_ROWS = 8;
/** Memory of a joint call, taken with its first row. */
const MAX_BYTES = 16 * 2 ** 20;

type Prepare = Backend['prepare'];

/**
 * Makes a `prepare` whose calls of one instance are joined: one waits for others while there are any, `windowMs` at most. It
 * takes its row when `tensor` is first read. What a joint call fails with, and a neighbour may have caused, is asked again alone.
 */
export function createJoining(backend: { readonly prepare: Prepare }, options: JoiningOptions): Prepare {
  const open = new Map<string, Joint>();

  function takeRow(target: PredictTarget, rows: number): Row {
    const key = keyOf(target);
    let joint = open.get(key);
    if (!joint) {
      joint = new Joint({ ...options, call: backend.prepare(target, rows), rows, onClose: () => open.delete(key) });
      open.set(key, joint);
    }
    return joint.take();
  }

  return (target, capacity) => {
    const rows = rowsFor(target);
    if (capacity > 1 || rows < 2) return backend.prepare(target, capacity);
    let own: Row | undefined;
    /** The row to ask for: another one, with a copy, where the call that it was in was sent before. */
    const unsent = (): Row => {
      own ??= takeRow(target, rows);
      if (!own.joint.isSent) return own;
      const { tensor } = own;
      own = takeRow(target, rows);
      own.tensor.set(tensor);
      return own;
    };
    return {
      get tensor() {
        own ??= takeRow(target, rows);
        return own.tensor;
      },
      async send(_count, context) {
        const row = unsent();
        return (await askJointly(row, context)) ?? sendAlone(backend, target, row.tensor, context);
      },
      release: () => own?.joint.release(),
    };
  };
}

/** A row's share of the joint answer; undefined where a neighbour may have spoilt it. */
async function askJointly({ joint, index }: Row, context: RequestContext): Promise<Prediction | undefined> {
  let cause: unknown = 'it answered with another number of rows';
  try {
    const prediction = await joint.answer(context);
    const share = joint.count === 1 ? prediction : shareOf(prediction, index, joint.count);
    if (share) return share;
  } catch (thrown) {
    const error = asGatewayError(thrown);
    // INVALID_ARGUMENT, which the checks on a tensor's numbers fail with, is `internal`.
    if (joint.count === 1 || (error.kind !== 'model_failed' && error.kind !== 'internal')) throw error;
    ({ cause } = error);
  }
  context.log.warn({ count: joint.count, cause }, 'a joint Predict failed; asking alone');
  return undefined;
}

/** Rows that a joint call has room for; below two there is nothing to join. */
function rowsFor({ input: { dtype, shape, isSingle } }: PredictTarget): number {
  if (isSingle) return 1;
  const rowBytes = shape.reduce((product, size) => product * size, dtype === 'DT_FLOAT' ? 4 : 1);
  return Math.min(JOINT_ROWS, Math.floor(MAX_BYTES / rowBytes));
}

/** All that a Predict says besides its pixels: only what is the same may be joined. */
function keyOf({ servable: { model, version, label }, signature, input }: PredictTarget): string {
  return JSON.stringify([model, version, label, signature, input]);
}
