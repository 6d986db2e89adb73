/** How long a process or thread that has nothing to decode is kept. It takes some 100 MB, or 20. */
export const REST_MS = 3 * 60_000;
