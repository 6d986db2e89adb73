/** A refusal in words. */
import { Refusal } from './api.js';
import { make } from './dom.js';

/**
 * What is wrong, the field and the fix, when to try again, and the request id.
 * @param {unknown} thrown
 */
export function errorBox(thrown) {
  const isRefusal = thrown instanceof Refusal;
  const title = isRefusal ? thrown.title : 'The page failed';
  const text = thrown instanceof Error ? thrown.message : `${thrown}`;
  const retry = isRefusal && thrown.retryAfter !== '' ? ` Try again in ${thrown.retryAfter} s.` : '';
  const id = isRefusal && thrown.id !== '' ? [make('p', { class: 'id' }, `Request ${thrown.id}`)] : [];
  return make(
    'div',
    { class: 'error', role: 'alert' },
    make('strong', {}, title),
    make('p', {}, `${text}${retry}`),
    ...id,
  );
}
