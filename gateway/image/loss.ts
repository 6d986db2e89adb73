/** Pictures that end what decodes them: a process or a thread. */
import { GatewayError } from '../errors.ts';

export type LossOptions = {
  /** For one picture, decoded and resized. After it the process or thread is killed. */
  readonly timeoutMs: number;
  /** Called for each picture that ended its process or thread: by a crash, or by a kill after `timeoutMs`. */
  readonly onLoss: (why: 'crash' | 'timeout') => void;
};

export function tooSlow(field: string, timeoutMs: number, cause: unknown): GatewayError {
  const detail = `${field} takes more than ${timeoutMs} ms to decode; save it again or scale it down.`;
  return new GatewayError('image_unreadable', detail, { cause });
}
