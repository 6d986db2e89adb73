#!/usr/bin/env node
/** The program, with a compile cache: without it every start strips types and compiles a thousand files. */
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

// In the installation, not in /tmp as is Node's default: code is loaded from it, and other users can write to /tmp.
// Node writes it when the process exits. The production image contains it: its file system may be read-only.
enableCompileCache(fileURLToPath(new URL('../../node_modules/.cache/compiled', import.meta.url)));
await import('./commands.ts');
