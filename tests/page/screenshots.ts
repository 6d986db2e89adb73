/** Draws the pictures of the pages for the README and docs (`make screenshots`). They show drawings, never photos of people. */
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { startGateway } from '../gateway.ts';
import { SKIP, startBrowser } from './browser.ts';

const FOLDER = new URL('../../docs/screenshots/', import.meta.url);
const fileOf = (name: string) => fileURLToPath(new URL(`${name}.png`, FOLDER));

if (SKIP) throw new Error(`make screenshots ${SKIP}`);

/** Takes two examples and shows the second: the first prediction of a process is slower than all others. */
async function example(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await page.locator('#examples button').first().click();
  await page.locator('.pictures canvas').nth(1).waitFor();
  await page.locator('#examples button').nth(2).click();
  await page.locator('.result h3', { hasText: 'palette.png' }).waitFor();
  await page.locator('.pictures canvas').nth(1).waitFor();
}

/** Draws the whole page. The code on it shows the address of a usual start. */
async function wholePage(page: Page, name: string): Promise<void> {
  const { host } = new URL(page.url());
  await page.evaluate(`code.textContent = code.textContent.replace('${host}', 'localhost:9696')`);
  await page.screenshot({ path: fileOf(name), fullPage: true });
}

/** Explains the prediction that the page shows, and draws its part of the page. `drawn`: what the explanation adds. */
async function explanation(page: Page, drawn: string, name: string): Promise<void> {
  await page.click('.explain button');
  await page.locator(drawn).waitFor({ timeout: 60_000 });
  await page.locator('#output').screenshot({ path: fileOf(name) });
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
    await example(page, gateway.url);
    await wholePage(page, `playground-${colorScheme}`);
    await page.close();
  }
  const page = await browser.newPage({ viewport: { width: 1280, height: 760 }, reducedMotion: 'reduce' });
  await example(page, gateway.url);
  await explanation(page, '.heat', 'playground-heat-map');
  await page.selectOption('#model', 'ride-duration');
  await page.locator('#fields [name=trip_distance]').waitFor();
  await page.click('#record .primary');
  await page.locator('.values').waitFor();
  await wholePage(page, 'playground-records');
  await explanation(page, '.waterfall', 'playground-waterfall');
  await page.goto(`${gateway.url}/docs#/predictions/predict`);
  await page.locator('.opblock.is-open').waitFor();
  await page.screenshot({ path: fileOf('reference') });
} finally {
  await browser.close();
  await gateway.stop();
}
