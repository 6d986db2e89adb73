/** A Chromium of the system, for tests of the pages. */
import assert from 'node:assert/strict';
import { accessSync, constants } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, type TestContext } from 'node:test';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { type RunningGateway, startGateway } from '../gateway.ts';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const AXE = new URL('../../node_modules/axe-core/axe.min.js', import.meta.url);

function find(): string | undefined {
  const folders = (process.env.PATH ?? '').split(path.delimiter);
  return folders
    .flatMap((folder) => NAMES.map((name) => path.join(folder, name)))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false; // Not in this folder.
      }
    });
}

const executablePath = find();

/** Why tests of pages are skipped; false where they run. */
export const SKIP = executablePath === undefined && `needs one of ${NAMES.join(', ')} in PATH`;

/** Starts Chromium, which the caller closes. */
export function startBrowser(): Promise<Browser> {
  assert.ok(executablePath !== undefined);
  // Chromium's own sandbox does not work for root or in most containers.
  return chromium.launch({ executablePath, args: ['--no-sandbox'] });
}

/** What the tests of one `describe` share. */
export type Shared = { readonly browser: Browser; readonly gateway: RunningGateway };

/**
 * Starts Chromium and a gateway with every committed model before the tests of a `describe`, and stops them after.
 * The parts are there from the first test on.
 */
export function shareGateway(settings: Record<string, string> = {}): Shared {
  const shared = {} as { browser: Browser; gateway: RunningGateway };
  before(async () => {
    [shared.browser, shared.gateway] = await Promise.all([
      startBrowser(),
      startGateway({ READY_WHEN: 'all', ...settings }),
    ]);
    await shared.gateway.ready();
  });
  after(() => Promise.all([shared.browser.close(), shared.gateway.stop()]));
  return shared;
}

export type OpenedPage = { readonly page: Page; readonly faults: string[] };

/** Opens a page in a new browser context. `faults`: errors that the page threw, and violations of its security policy. */
export async function openPage(
  t: TestContext,
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<OpenedPage> {
  const context = await browser.newContext(options);
  t.after(() => context.close());
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('pageerror', ({ message }) => faults.push(message));
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      faults.push(message.text());
  });
  await page.goto(url);
  return { page, faults };
}

/** What axe finds on the page: each rule with the elements that break it. */
export async function axe(page: Page): Promise<string[]> {
  // Into a world that the page's policy does not bind.
  await page.evaluate(await readFile(AXE, 'utf8'));
  const results = await page.evaluate("axe.run({ resultTypes: ['violations'] })");
  const { violations } = results as { violations: { id: string; nodes: { html: string }[] }[] };
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}

/** Texts of all elements that match. */
export const texts = (page: Page, selector: string) => page.locator(selector).allTextContents();

/** Opens a page; fails the test at its end if the page threw, or broke its policy. */
export async function openSound(
  t: TestContext,
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<Page> {
  const { page, faults } = await openPage(t, browser, url, options);
  t.after(() => assert.deepEqual(faults, []));
  return page;
}

/** Opens the playground, and waits for the examples of its first model. */
export async function openPlayground(t: TestContext, browser: Browser, url: string, options?: BrowserContextOptions) {
  const page = await openSound(t, browser, url, options);
  await page.locator('#examples button').first().waitFor();
  return page;
}

/** The code of the page in each language. */
export async function codes(page: Page): Promise<Record<'curl' | 'python' | 'javascript', string>> {
  const code = { curl: '', python: '', javascript: '' };
  for (const language of ['curl', 'python', 'javascript'] as const) {
    await page.click(`[data-language=${language}]`);
    code[language] = (await page.locator('#code').textContent()) ?? '';
  }
  return code;
}
