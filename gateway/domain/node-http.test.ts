import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';

/** Starts Node and imports a file of the gateway. Resolves to whether undici was loaded. */
async function loadsUndici(file: string): Promise<boolean> {
  const target = new URL(`../${file}`, import.meta.url).href;
  const program = `await import('${target}'); console.log(process.moduleLoadList.some((name) => name.endsWith('/undici')))`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program]);
  return stdout.trim() === 'true';
}

test('an import of node:http loads undici, and the gateway has none', async () => {
  assert.equal(await loadsUndici('cli/drill/origin.ts'), true, 'if Node no longer does, node-http.ts is not needed');
  assert.equal(await loadsUndici('cli/serve.ts'), false);
});
