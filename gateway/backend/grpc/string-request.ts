/** A request whose input is encoded pictures: one string for each instance. */
import type { PredictTarget } from '../../domain/backend.ts';
import { GatewayError } from '../../errors.ts';
import { BackwardWriter } from '../../tensor/backward-writer.ts';
import { MAX_MESSAGE_BYTES } from './channel.ts';
import type { PredictMessages } from './protocol.ts';
import { MAX_FIELD_HEAD_BYTES, maxHeadBytes } from './request-size.ts';
import type { Frame, PredictRequest } from './request-type.ts';

/** Makes the request. `framed` copies the strings; it throws `body_too_large` above the message limit. */
export function createStringRequest(
  { writeString }: Pick<PredictMessages, 'writeString'>,
  frame: Frame,
  target: PredictTarget,
): PredictRequest {
  const strings: Uint8Array[] = [];
  const inputBytes = (count: number) => strings.slice(0, count).reduce((sum, { length }) => sum + length, 0);
  return {
    get tensor(): never {
      throw new RangeError('DT_STRING has no tensor');
    },
    strings,
    setString(row, bytes) {
      strings[row] = bytes;
    },
    copyFrom(other, row) {
      strings[0] = other.strings[row] ?? new Uint8Array();
    },
    inputBytes,
    framed(count) {
      const most = maxHeadBytes(target) + inputBytes(count) + count * MAX_FIELD_HEAD_BYTES;
      if (most > MAX_MESSAGE_BYTES) {
        throw new GatewayError('body_too_large', 'instances: the images are too large for one request; send fewer.');
      }
      const memory = new ArrayBuffer(most);
      const writer = new BackwardWriter(new Uint8Array(memory), most);
      for (const bytes of strings.slice(0, count).toReversed()) writeString(writer, bytes);
      return frame(memory, { count, start: writer.start, end: most });
    },
    release() {
      strings.length = 0;
    },
  };
}
