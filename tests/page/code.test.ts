/** The code to copy is run as it is, in every language, and gives the answer of the page. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import { runCli } from '../cli.ts';
import { findClients } from '../clients/python.ts';
import { PICTURE } from '../committed-model.ts';
import { type RunningGateway, startGateway } from '../gateway.ts';
import { type Origin, startOrigin } from '../origin.ts';
import { codes, openSound, SKIP, startBrowser, texts } from './browser.ts';

const execute = promisify(execFile);
const PARITY = new URL('../../serving/models/clothing-model/parity/', import.meta.url).pathname;
const python = await findClients(['requests']);

/** Runs the code of the page in a folder, and checks what each language prints. `KEY`: the API key. */
async function runCodes(page: Page, folder: string, printed: RegExp, KEY: string): Promise<void> {
  const code = await codes(page);
  const programs = [
    ['sh', ['-c', code.curl]],
    [process.execPath, ['--input-type=module', '-e', code.javascript]],
    ...('program' in python ? ([[python.program, ['-c', code.python]]] as const) : []),
  ] as const;
  for (const [program, args] of programs) {
    const { stdout } = await execute(program, args, { cwd: folder, env: { ...process.env, KEY } });
    assert.match(stdout, printed, args.at(-1));
  }
}

/** Gives the API key that a page asks for. */
async function unlock(page: Page, key: string): Promise<void> {
  await page.fill('#key', key);
  await page.keyboard.press('Enter');
  await page.locator('#key-dialog').waitFor({ state: 'detached' });
}

describe('the code to copy', { skip: SKIP || ('missing' in python && python.missing) }, () => {
  let browser: Browser;
  let gateway: RunningGateway;
  let origin: Origin;
  let folder: string;
  let key = '';

  before(async () => {
    origin = await startOrigin({ '/photo.png': PICTURE });
    folder = await mkdtemp(path.join(tmpdir(), 'code-'));
    const { stdout, stderr } = await runCli(['keys', 'new', 'page']);
    [key = ''] = /tg_[\w-]{43}/.exec(stderr) ?? [];
    const keysFile = path.join(folder, 'keys.yaml');
    await writeFile(keysFile, stdout);
    gateway = await startGateway({ READY_WHEN: 'all', FETCH_ALLOW_PRIVATE: 'true', API_KEYS_FILE: keysFile });
    await gateway.ready();
    browser = await startBrowser();
  });
  after(async () => {
    await browser.close();
    await gateway.stop();
    await origin.close();
    await rm(folder, { recursive: true });
  });

  test('of a photo with a difficult name, an address and a record, with an API key', async (t) => {
    const page = await openSound(t, browser, gateway.url);
    await unlock(page, key);
    await page.locator('#model option').first().waitFor({ state: 'attached' });
    const file = path.join(folder, `it's "a" \\ photo; of mine,1.png`);
    await copyFile(path.join(PARITY, 'alpha.png'), file);
    await page.setInputFiles('#files', file);
    await page.locator('.bars').waitFor();
    const [best = 'none'] = await texts(page, '.bars .name');
    await runCodes(page, folder, new RegExp(`class\\W+${best}`), key);

    await page.fill('#url', `${origin.url}/photo.png`);
    await page.keyboard.press('Enter');
    await page.locator('.result h3', { hasText: origin.url }).waitFor();
    await page.locator('.bars').waitFor();
    await runCodes(page, folder, /predictions/, key);

    await page.selectOption('#model', 'ride-duration');
    await page.locator('#fields [name=trip_distance]').waitFor();
    await page.click('#as-json');
    await page.fill(
      '#editor',
      '{\n  "PULocationID": 1, "DOLocationID": 2,\n  "trip_distance": 3.5, "ride_id": "it\'s \\\\ one"\n}',
    );
    await page.click('#record .primary');
    await page.locator('.values, .error').waitFor();
    assert.deepEqual(await texts(page, '.error'), []);
    await runCodes(page, folder, /duration/, key);
    assert.equal((await page.locator('#code').textContent())?.includes(key), false);
  });

  test('of each model at /docs, made from its signature and examples', async (t) => {
    const page = await openSound(t, browser, `${gateway.url}/docs`);
    await unlock(page, key);
    await page.locator('#examples:not([hidden])').waitFor();
    const models = await texts(page, '#example-model option');
    assert.deepEqual(models, ['churn', 'churn-synthetic', 'clothing-model', 'credit', 'ride-duration']);
    for (const model of models) {
      await page.selectOption('#example-model', model);
      await runCodes(page, PARITY, /^[{[]/, key);
    }
  });

  test('is copied', async (t) => {
    const page = await openSound(t, browser, gateway.url, { permissions: ['clipboard-read', 'clipboard-write'] });
    await unlock(page, key);
    await page.locator('#examples button').first().waitFor();
    await page.click('#copy-code');
    await page.getByText('Copied.').waitFor();
    assert.equal(await page.evaluate('navigator.clipboard.readText()'), await page.locator('#code').textContent());
    await page.click('#copy-link');
    await page.waitForFunction('navigator.clipboard.readText().then((text) => text === location.href)');
  });
});
