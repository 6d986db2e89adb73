/**
 * Node's `http` without undici. An import of it reads all that it exports, and some of that loads undici, which only `fetch`
 * needs: 25 ms of each start and some megabytes. Types may be imported as always.
 */
export const http: typeof import('node:http') = process.getBuiltinModule('node:http');
