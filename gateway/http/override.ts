/** Methods of one object in place of those of its class. */

/**
 * Sets methods of one request or socket. Not by an assignment: V8 makes a function that is written there
 * (`request.push = () => …`) in the memory of old objects, where it keeps the whole request until the next full collection.
 */
export function override<T extends object>(target: T, methods: Partial<T>): void {
  Object.assign(target, methods);
}
