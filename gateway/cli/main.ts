#!/usr/bin/env node
/** The program. What it is made of is kept compiled, so that a start need not strip types and compile a thousand files. */
import { constants, enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

// In the installation, where no other user may write, unlike Node's own choice in /tmp: code is read from it. It is
// written when the process ends; where it may not be, as in a container, the image brings it.
const folder = fileURLToPath(new URL('../../node_modules/.cache/compiled', import.meta.url));
const { status } = enableCompileCache(folder);
// For the embedded model server and its threads.
if (status === constants.compileCacheStatus.ENABLED) process.env.NODE_COMPILE_CACHE = folder;
await import('./commands.ts');
