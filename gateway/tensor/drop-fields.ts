/** Takes fields out of a serialized message, so that others are written in their place. */
import { bytesOf, type RoomyMessage } from '../domain/roomy-message.ts';
import { FieldReader, type ReadBudget } from './field-reader.ts';

/**
 * The message without the fields for which `isDropped` is true; it is asked once for each field of the message. Clients send
 * such fields first, and fields before them are moved up over them. Throws MalformedMessage.
 */
export function dropFields(
  { memory, start, end }: RoomyMessage,
  budget: ReadBudget,
  isDropped: (at: FieldReader) => boolean,
): RoomyMessage {
  const bytes = bytesOf({ memory, start, end });
  const at = new FieldReader(bytes, budget);
  let dropped = 0;
  for (let fieldStart = 0; at.next(); fieldStart = at.end) {
    if (!isDropped(at)) continue;
    const size = at.end - fieldStart;
    bytes.copyWithin(dropped + size, dropped, fieldStart);
    dropped += size;
  }
  return { memory, start: start + dropped, end };
}
