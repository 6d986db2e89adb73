/** Draws the pictures of the pages for the README and docs (`make screenshots`). They show drawings, never photos of people. */
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { startGateway } from '../gateway.ts';
import { SKIP, startBrowser } from './browser.ts';

const FOLDER = new URL('../../docs/screenshots/', import.meta.url);
const fileOf = (name: string) => fileURLToPath(new URL(`${name}.png`, FOLDER));

if (SKIP) throw new Error(`make screenshots ${SKIP}`);

/** Takes an example twice: the first prediction of a process is slower than all others. */
async function example(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await page.locator('#examples button').first().click();
  await page.locator('.pictures canvas').nth(1).waitFor();
  await page.locator('#examples button').nth(2).click();
  await page.locator('.result h3', { hasText: 'palette.png' }).waitFor();
  await page.locator('.pictures canvas').nth(1).waitFor();
}

const gateway = await startGateway({ READY_WHEN: 'all' });
const browser = await startBrowser();
try {
  await gateway.ready();
  for (const colorScheme of ['light', 'dark'] as const) {
    const page = await browser.newPage({
      colorScheme,
      viewport: { width: 1280, height: 760 },
      reducedMotion: 'reduce',
    });
    // The address that the code shows is that of a usual start.
    await example(page, gateway.url);
    const port = new URL(gateway.url).port;
    await page.evaluate(`code.textContent = code.textContent.replace('127.0.0.1:${port}', 'localhost:9696')`);
    await page.screenshot({ path: fileOf(`playground-${colorScheme}`), fullPage: true });
    await page.close();
  }
  const page = await browser.newPage({ viewport: { width: 1280, height: 760 }, reducedMotion: 'reduce' });
  await page.goto(gateway.url);
  await page.selectOption('#model', 'ride-duration');
  await page.locator('#fields [name=trip_distance]').waitFor();
  await page.click('#record .primary');
  await page.locator('.values').waitFor();
  await page.screenshot({ path: fileOf('playground-records'), fullPage: true });
  await page.goto(`${gateway.url}/docs#/predictions/predict`);
  await page.locator('.opblock.is-open').waitFor();
  await page.screenshot({ path: fileOf('reference') });
} finally {
  await browser.close();
  await gateway.stop();
}
