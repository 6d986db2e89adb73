/**
 * An upper bound for the heap that parsing JSON takes. A thread whose heap is full ends the whole process while it parses,
 * so a body that could fill it is refused before. Measured with V8 13: the smallest heap in which lists and objects of
 * each form are parsed exactly (tensor/exact-json.ts) and read.
 */

/** The code and the stacks of a thread. */
export const BASE_BYTES = 16 * 2 ** 20;
/** A list, and any other value: a number with its text, a string without its characters. */
export const VALUE_BYTES = 88;
/** An object without its members. No two objects may have the same keys. */
export const OBJECT_BYTES = 24;
/** A member beside its value. */
export const MEMBER_BYTES = 90;
