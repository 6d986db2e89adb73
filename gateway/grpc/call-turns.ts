/** Shares the event loop between connections: many calls of one delay no call of another. */

/** Handles a call. False if it was closed before its turn. */
type Handle = () => boolean;

/**
 * Creates the queue. The first call of a connection is handled at once. Those that arrive with it wait: one is handled in
 * each turn of the event loop, of one connection after the other.
 */
export function createCallTurns(): (connection: object, handle: Handle) => void {
  const due = new Map<object, Handle[]>();
  function runNext(): void {
    const [next] = due;
    if (!next) return;
    const [connection, handles] = next;
    due.delete(connection);
    const handled = handles.findIndex((handle) => handle());
    if (handled >= 0) due.set(connection, handles.slice(handled + 1));
    if (due.size > 0) setImmediate(runNext);
  }
  return (connection, handle) => {
    const handles = due.get(connection);
    if (handles) {
      handles.push(handle);
      return;
    }
    due.set(connection, []);
    if (due.size === 1) setImmediate(runNext);
    handle();
  };
}
