/** The playground by keyboard, for screen readers, on narrow screens, in the dark, and with an API key, in Chromium. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import { runCli } from '../cli.ts';
import { startGatewayFor } from '../gateway.ts';
import { startClothingModel } from '../model-server.ts';
import { modelsFolder } from '../models.ts';
import { axe, openPlayground, openSound, SKIP, shareGateway, texts } from './browser.ts';

const PARITY = new URL('../../serving/models/clothing-model/parity/', import.meta.url).pathname;

/** The name of what has the focus: its id, or what a screen reader says. Empty for the browser's own bar. */
const focused = (page: Page) =>
  page.evaluate<string>(
    `{ const { id, ariaLabel, textContent, tagName } = document.activeElement;
       tagName === 'BODY' ? '' : id || ariaLabel || textContent.trim() }`,
  );

/** Presses Tab, and tells what has the focus then. */
async function tab(page: Page): Promise<string> {
  await page.keyboard.press('Tab');
  return focused(page);
}

describe('the playground for everyone', { skip: SKIP }, () => {
  const shared = shareGateway();

  test('everything is reached by the keyboard in the order of the page, with a visible focus', async (t) => {
    const page = await openPlayground(t, shared.browser, shared.gateway.url);
    const reached: string[] = [];
    for (let name = await tab(page); name !== ''; name = await tab(page)) {
      reached.push(name);
      // A file input is drawn by its label.
      const outline = await page.evaluate<string>(
        `{ const one = document.activeElement; const drawn = one.closest('.button') ?? one;
           const { outlineStyle, boxShadow } = getComputedStyle(drawn); outlineStyle + ' ' + boxShadow }`,
      );
      assert.doesNotMatch(outline, /^none none$/, name);
    }
    assert.deepEqual(reached, [
      ...[
        'Skip to the input',
        'Playground',
        'API reference',
        'key-button',
        'model',
        'version',
        'lineage-title',
        'files',
        'url',
        'Predict',
      ],
      ...['Example tall-420.jpg', 'Example wide-progressive.jpg', 'Example palette.png'],
      ...['Probabilities', 'Raw', 'top', 'curl', 'Python', 'JavaScript', 'Code', 'copy-code', 'copy-link'],
    ]);
    await page.locator('#examples button').first().focus();
    await page.keyboard.press('Enter');
    await page.locator('.bars').waitFor();
    await page.locator('.skip').focus();
    await page.keyboard.press('Enter');
    assert.equal(await tab(page), 'files');
  });

  test('the dialog keeps the focus, Escape closes it, and the focus returns', async (t) => {
    const page = await openPlayground(t, shared.browser, shared.gateway.url);
    await page.locator('#key-button').focus();
    await page.keyboard.press('Enter');
    await page.locator('#key-dialog[open]').waitFor();
    const reached = new Set([await focused(page)]);
    for (let step = 0; step < 8; step += 1) reached.add(await tab(page));
    // After the last button comes the browser's own bar.
    assert.deepEqual(reached, new Set(['key', 'Use this key', 'Cancel', '']));
    await page.keyboard.press('Escape');
    await page.locator('#key-dialog').waitFor({ state: 'detached' });
    assert.equal(await focused(page), 'key-button');
    assert.equal(await page.evaluate('sessionStorage.length'), 0);
  });

  for (const colorScheme of ['light', 'dark'] as const) {
    test(`axe finds nothing, also 375 pixels wide, in ${colorScheme}`, async (t) => {
      const page = await openPlayground(t, shared.browser, shared.gateway.url, {
        colorScheme,
        reducedMotion: 'reduce',
      });
      assert.deepEqual(await axe(page), []);
      await page.setInputFiles(
        '#files',
        ['alpha.png', 'tensors.json'].map((file) => path.join(PARITY, file)),
      );
      await page.getByText('1 of 2 instances failed.').waitFor();
      await page.setViewportSize({ width: 375, height: 800 });
      assert.deepEqual(await axe(page), []);
      assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 375);
      await page.selectOption('#model', 'churn');
      await page.locator('#fields [name=tenure]').waitFor();
      assert.deepEqual(await axe(page), []);
      assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 375);
      await page.fill('#fields [name=tenure]', 'long');
      await page.click('#record .primary');
      await page.locator('[aria-invalid=true]').waitFor();
      await page.click('#as-json');
      assert.deepEqual(await axe(page), []);
      await page.click('#key-button');
      assert.deepEqual(await axe(page), []);
    });
  }

  test('nothing moves for people who prefer that', async (t) => {
    const page = await openPlayground(t, shared.browser, shared.gateway.url, { reducedMotion: 'reduce' });
    await page.locator('#examples button').first().click();
    await page.locator('.bars').waitFor();
    const moving = await page.evaluate(
      `[...document.querySelectorAll('*')].filter((one) => {
         const { transitionDuration, animationName } = getComputedStyle(one);
         return transitionDuration !== '0s' || animationName !== 'none';
       }).length`,
    );
    assert.equal(moving, 0);
  });

  test('a gateway with keys asks for one, once, and keeps it in the tab', async (t) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'keys-'));
    t.after(() => rm(folder, { recursive: true }));
    const { stdout, stderr } = await runCli(['keys', 'new', 'page']);
    const [key = ''] = /tg_[\w-]{43}/.exec(stderr) ?? [];
    const keysFile = path.join(folder, 'keys.yaml');
    await writeFile(keysFile, stdout);
    const server = await startClothingModel();
    t.after(() => server.close());
    const settings = { TF_SERVING_HOST: server.target, MODELS: await modelsFolder(t), API_KEYS_FILE: keysFile };
    const locked = await startGatewayFor(t, settings);
    await locked.ready();
    const page = await openSound(t, shared.browser, locked.url);
    await page.fill('#key', 'tg_wrong');
    await page.keyboard.press('Enter');
    await page.locator('.error', { hasText: 'API key' }).waitFor();
    await page.fill('#key', key);
    await page.keyboard.press('Enter');
    await page.locator('#model option').first().waitFor({ state: 'attached' });
    await page.setInputFiles('#files', path.join(PARITY, 'alpha.png'));
    await page.locator('.bars').waitFor();
    await page.reload();
    await page.locator('#model option').first().waitFor({ state: 'attached' });
    assert.equal(await page.locator('#key-dialog').count(), 0);
    await page.goto(`${locked.url}/docs`);
    await page.locator('.opblock').first().waitFor();
    assert.deepEqual(await texts(page, '#key-dialog'), []);
  });
});
