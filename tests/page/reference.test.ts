/** The API reference at /docs, in Chromium. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { runCli } from '../cli.ts';
import { type RunningGateway, startGateway } from '../gateway.ts';
import { type ModelServer, startClothingModel } from '../model-server.ts';
import { CARD } from '../models.ts';
import { axe, openSound, SKIP, startBrowser, texts } from './browser.ts';

/** Sends the request of a route, and waits for its answer. */
async function tryOut(page: Page, operation: string, status: string): Promise<void> {
  const route = page.locator(`#operations-${operation}`);
  await route.locator('.opblock-summary-control').click();
  await route.locator('.try-out__btn').click();
  await route.locator('.execute').click();
  await route.locator('.live-responses-table .response-col_status', { hasText: status }).waitFor();
}

describe('the API reference', { skip: SKIP }, () => {
  let browser: Browser;
  let server: ModelServer;
  let gateway: RunningGateway;
  let folder: string;

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'reference-'));
    await mkdir(path.join(folder, 'models', 'clothing-model'), { recursive: true });
    await writeFile(path.join(folder, 'models', 'clothing-model', 'model.yaml'), CARD);
    server = await startClothingModel();
    gateway = await start();
    browser = await startBrowser();
  });
  after(async () => {
    await browser.close();
    await gateway.stop();
    await server.close();
    await rm(folder, { recursive: true });
  });

  async function start(settings: Record<string, string> = {}): Promise<RunningGateway> {
    const MODELS = path.join(folder, 'models');
    const started = await startGateway({ TF_SERVING_HOST: server.target, MODELS, ...settings });
    await started.ready();
    return started;
  }

  test('shows every route, and tries one', async (t) => {
    const page = await openSound(t, browser, `${gateway.url}/docs`);
    await page.locator('.opblock').first().waitFor();
    const { paths } = (await (await fetch(`${gateway.url}/openapi.json`)).json()) as { paths: object };
    const shown = new Set((await texts(page, '.opblock-summary-path')).map((text) => text.replaceAll('\u200b', '')));
    assert.deepEqual(shown, new Set(Object.keys(paths)));
    await tryOut(page, 'models-listModels', '200');
    assert.match((await texts(page, '#operations-models-listModels .curl')).join(), /curl.*\/models/s);
    // The answer and its schema are references in the document.
    await page.locator('#operations-models-listModels .tablinks', { hasText: 'Schema' }).first().click();
    await page.locator('#operations-models-listModels .model-box', { hasText: /^.*models.*array<object>/s }).waitFor();
    const link = await openSound(t, browser, `${gateway.url}/docs#/predictions/predict`);
    await link.locator('#operations-predictions-predict.is-open').waitFor();
  });

  for (const [colorScheme, width] of [
    ['light', 1280],
    ['dark', 375],
  ] as const) {
    test(`axe finds nothing in ${colorScheme}, ${width} pixels wide, also in routes that were tried`, async (t) => {
      const viewport = { width, height: 800 };
      const page = await openSound(t, browser, `${gateway.url}/docs`, {
        colorScheme,
        viewport,
        reducedMotion: 'reduce',
      });
      await page.locator('.opblock').first().waitFor();
      assert.equal(await page.evaluate('document.documentElement.scrollWidth'), width);
      const back = await page.evaluate<string>("getComputedStyle(document.querySelector('.opblock')).backgroundColor");
      assert.equal(back, colorScheme === 'light' ? 'rgb(255, 255, 255)' : 'rgb(22, 26, 35)');
      await tryOut(page, 'models-listModels', '200');
      await tryOut(page, 'predictions-predict', '200');
      assert.deepEqual(await axe(page), []);
    });
  }

  test('asks for the API key, and fills it into the try-out', async (t) => {
    const { stdout, stderr } = await runCli(['keys', 'new', 'page']);
    const [key = ''] = /tg_[\w-]{43}/.exec(stderr) ?? [];
    const keysFile = path.join(folder, 'keys.yaml');
    await writeFile(keysFile, stdout);
    const locked = await start({ API_KEYS_FILE: keysFile });
    t.after(() => locked.stop());
    const page = await openSound(t, browser, `${locked.url}/docs`);
    await page.fill('#key', key);
    await page.keyboard.press('Enter');
    await page.locator('.opblock').first().waitFor();
    const sent = page.waitForRequest(
      (request) => request.url().endsWith('/models') && request.headers()['x-api-key'] === key,
    );
    await tryOut(page, 'models-listModels', '200');
    await sent;
    await page.reload();
    await page.locator('.opblock').first().waitFor();
    assert.equal(await page.locator('#key-dialog').count(), 0);
  });
});
