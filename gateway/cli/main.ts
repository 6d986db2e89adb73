#!/usr/bin/env node
/** The program. What it is made of is kept compiled, so that a start need not strip types and compile a thousand files. */
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

// In the installation, where no other user may write, unlike Node's own choice in /tmp: code is read from it. It is
// written when the process ends; where it may not be, as in a container, the image brings it.
enableCompileCache(fileURLToPath(new URL('../../node_modules/.cache/compiled', import.meta.url)));
await import('./commands.ts');
