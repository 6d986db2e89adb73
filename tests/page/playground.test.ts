/** The playground with photos, as people use it, in Chromium. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import { PICTURE } from '../committed-model.ts';
import { startGatewayFor } from '../gateway.ts';
import { floatTensor, startClothingModel, startModelServer, XCEPTION } from '../model-server.ts';
import { CARD, modelsFolder } from '../models.ts';
import { type Origin, startOrigin } from '../origin.ts';
import { axe, openPlayground, openSound, SKIP, shareGateway, texts } from './browser.ts';

const PARITY = new URL('../../serving/models/clothing-model/parity/', import.meta.url).pathname;

/** Takes the first example, and waits for its answer and its pictures. */
async function takeExample(page: Page): Promise<void> {
  await page.locator('#examples button').first().click();
  await page.locator('.bars').first().waitFor();
  await page.locator('.pictures canvas').nth(1).waitFor();
}

/** The numbers beside the bars. */
const values = async (page: Page) => (await texts(page, '.bars .value')).map((text) => Number.parseFloat(text));

/** Pastes or drops data into the page, by its script. `fill`: fills `transfer`. */
const give = (page: Page, event: 'paste' | 'drop', fill: string) =>
  page.evaluate(
    `{ const transfer = new DataTransfer();
       ${fill};
       const member = '${event}' === 'paste' ? 'clipboardData' : 'dataTransfer';
       document.dispatchEvent(Object.assign(new Event('${event}', { cancelable: true }), { [member]: transfer })); }`,
  );

describe('the playground with photos', { skip: SKIP }, () => {
  const shared = shareGateway({ FETCH_ALLOW_PRIVATE: 'true' });
  let origin: Origin;

  before(async () => {
    origin = await startOrigin({ '/photo.png': PICTURE });
  });
  after(() => origin.close());

  test('the page is less than 100 kB in all, and asks no other host', async (t) => {
    const page = await openSound(t, shared.browser, 'about:blank');
    const sizes = new Map<string, number>();
    page.on('response', async (response) => {
      const { host, pathname } = new URL(response.url());
      assert.equal(host, new URL(shared.gateway.url).host);
      const body = await response.body().catch(() => Buffer.alloc(0));
      if (pathname === '/' || pathname.startsWith('/page/')) sizes.set(pathname, body.length);
    });
    await page.goto(shared.gateway.url, { waitUntil: 'networkidle' });
    await takeExample(page);
    const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
    t.diagnostic(`${sizes.size} files, ${total} bytes`);
    assert.ok(sizes.size > 20 && total > 30_000 && total < 100_000, `${sizes.size} files, ${total} bytes`);
  });

  test('an example is predicted: sorted bars, the pixels beside the original, times, seal and request id', async (t) => {
    const page = await openPlayground(t, shared.browser, shared.gateway.url);
    await takeExample(page);
    const shown = await values(page);
    assert.equal(shown.length, 5);
    assert.deepEqual(
      shown,
      shown.toSorted((one, other) => other - one),
    );
    assert.match((await texts(page, '.bars .value')).join(), /^(\d+\.\d\d %,?){5}$/);
    assert.deepEqual(await texts(page, '.pictures figcaption'), ['Original267 × 401', 'What the model saw299 × 299']);
    const [, seen] = await page
      .locator('.pictures canvas')
      .evaluateAll((all) => all.map((one) => [one.getAttribute('width'), one.getAttribute('height')].join()));
    assert.equal(seen, '299,299');
    assert.deepEqual(await texts(page, '.side .seal'), ['proven by 5 pictures']);
    assert.match((await texts(page, '.times li')).join(), /decode .* ms,predict .* ms,other .* ms,.* ms in all/);
    assert.match((await texts(page, '.side .id')).join(), /^Request [\w-]{36}$/);
  });

  test('a prediction is explained by a heat map over the pixels, with a slider between them', async (t) => {
    const page = await openPlayground(t, shared.browser, shared.gateway.url);
    await takeExample(page);
    await page.click('.explain button');
    await page.locator('.heat canvas').nth(1).waitFor({ timeout: 60_000 });
    const drawn = () => page.evaluate<string>(`document.querySelector('.heat canvas').toDataURL()`);
    const both = await drawn();
    await page.locator('.heat input').fill('0');
    const photo = await drawn();
    assert.notEqual(photo, both);
    await page.locator('.heat input').fill('1');
    assert.notEqual(await drawn(), both);
    assert.deepEqual(await axe(page), []);
    await page.route(/explain=shapley/, (route) =>
      route.fulfill({
        status: 429,
        headers: { 'Retry-After': '3' },
        json: { title: 'Busy', detail: 'Two are explained.' },
      }),
    );
    await page.selectOption('.explain select', 'shapley');
    await page.click('.explain button');
    await page.locator('.explain .error').waitFor();
    assert.match((await texts(page, '.explain .error')).join(), /Busy.*Two are explained\. Try again in 3 s\./);
  });

  test('raw scores and another number of classes ask again, and are in the link', async (t) => {
    const page = await openPlayground(t, shared.browser, shared.gateway.url);
    await takeExample(page);
    await page.click('[data-scores=raw]');
    await page.fill('#top', '10');
    await page.locator('#top').blur();
    await page.locator('.bars li').nth(9).waitFor();
    assert.ok((await values(page)).some((value) => value < 0));
    assert.match(page.url(), /\?model=clothing-model&scores=raw&top=10$/);
    const other = await openPlayground(t, shared.browser, page.url());
    await takeExample(other);
    assert.equal((await values(other)).length, 10);
  });

  test('several files make a gallery, in which a file that is no picture has its error in words', async (t) => {
    const page = await openPlayground(t, shared.browser, shared.gateway.url);
    const files = ['alpha.png', 'lossless.webp', 'tensors.json'];
    await page.setInputFiles(
      '#files',
      files.map((file) => path.join(PARITY, file)),
    );
    await page.getByText('1 of 3 instances failed.').waitFor();
    assert.deepEqual(await texts(page, '.gallery .result h3'), files);
    assert.equal(await page.locator('.gallery .bars').count(), 2);
    assert.match((await texts(page, '.error')).join(), /The image cannot be read.*is not an image; send JPEG/);
  });

  test('a photo and an address are pasted and dropped', async (t) => {
    const page = await openPlayground(t, shared.browser, shared.gateway.url);
    for (const event of ['paste', 'drop'] as const) {
      const type = event === 'paste' ? 'text/plain' : 'text/uri-list';
      await give(
        page,
        event,
        `transfer.items.add(new File([Uint8Array.fromBase64('${PICTURE.toString('base64')}')], '${event}.png', { type: 'image/png' }))`,
      );
      await page.locator('.result h3', { hasText: `${event}.png` }).waitFor();
      await page.locator('.bars').waitFor();
      await give(page, event, `transfer.setData('${type}', '${origin.url}/photo.png?${event}')`);
      await page.locator('.result h3', { hasText: `/photo.png?${event}` }).waitFor();
      await page.locator('.bars, .error').waitFor();
      assert.equal(await page.inputValue('#url'), `${origin.url}/photo.png?${event}`);
    }
  });

  test('the address of a photo is predicted, is in the link, and the link restores it', async (t) => {
    const page = await openPlayground(t, shared.browser, shared.gateway.url);
    await page.fill('#url', `${origin.url}/photo.png`);
    await page.keyboard.press('Enter');
    await page.locator('.bars').waitFor();
    const link = page.url();
    const query = new URL(link).searchParams;
    assert.deepEqual([query.get('model'), query.get('url')], ['clothing-model', `${origin.url}/photo.png`]);
    assert.match((await texts(page, '.times li')).join(), /^fetch /);
    const [best] = await texts(page, '.bars .name');
    assert.match((await texts(page, '#history strong')).join(), new RegExp(`^${best} \\d+\\.\\d\\d %$`));
    const other = await openSound(t, shared.browser, link);
    await other.locator('.bars').waitFor();
    await other.locator('.pictures canvas').waitFor();
    assert.deepEqual(await texts(other, '.pictures figcaption'), ['Original', 'What the model saw299 × 299']);
    assert.equal(await other.getAttribute('.pictures a', 'href'), `${origin.url}/photo.png`);
    assert.equal(await other.inputValue('#url'), `${origin.url}/photo.png`);
  });

  test('an address that has no picture is refused in words', async (t) => {
    const page = await openPlayground(t, shared.browser, shared.gateway.url);
    await page.fill('#url', `${origin.url}/none.png`);
    await page.click('#address button');
    await page.locator('.error').waitFor();
    assert.match((await texts(page, '.error')).join(), /404/);
  });

  test('a gateway that does not answer, or has no room, is told in words', async (t) => {
    const page = await openPlayground(t, shared.browser, shared.gateway.url);
    await page.route('**/predict?*', (route) => route.abort());
    await page.locator('#examples button').first().click();
    await page.locator('.error', { hasText: 'The gateway does not answer' }).waitFor();
    assert.match((await texts(page, '.error')).join(), /Check that the gateway is running, and try again/);
    await page.unrouteAll();
    const body = JSON.stringify({ title: 'Too many requests', detail: 'the queue is full' });
    await page.route('**/predict?*', (route) => route.fulfill({ status: 429, headers: { 'Retry-After': '3' }, body }));
    await page.locator('#examples button').first().click();
    await page.locator('.error', { hasText: 'Too many requests' }).waitFor();
    assert.match((await texts(page, '.error')).join(), /the queue is full Try again in 3 s\./);
  });

  test('a model that is not ready says why, and its input appears when it is', async (t) => {
    const broken = 'name: clothing-model\nimage: {size: [299, 299]}\n';
    const MODELS = await modelsFolder(t, { 'clothing-model': broken, other: 'name: other\n' });
    const server = await startClothingModel();
    t.after(() => server.close());
    const { url } = await startGatewayFor(t, { TF_SERVING_HOST: server.target, MODELS });
    const page = await openSound(t, shared.browser, `${url}/?model=clothing-model`);
    await page.getByText(/Not ready: .*image\.scale: is missing/s).waitFor();
    assert.equal(await page.locator('#input').isVisible(), false);
    await writeFile(path.join(MODELS, 'clothing-model', 'model.yaml'), CARD);
    await page.locator('#drop').waitFor({ timeout: 60_000 });
  });

  test('the last 20 predictions are kept in the browser, without pictures, and an address is asked again', async (t) => {
    const page = await openPlayground(t, shared.browser, shared.gateway.url);
    const twelve = Array.from({ length: 12 }, () => path.join(PARITY, 'alpha.png'));
    for (const files of [twelve, twelve]) {
      await page.setInputFiles('#files', files);
      await page.getByText('Predicted 12 instances.').waitFor();
    }
    // The words of the first twelve are still there when the second are asked.
    await page.locator('#history li').nth(19).waitFor();
    assert.equal(await page.locator('#history li').count(), 20);
    await page.fill('#url', `${origin.url}/photo.png`);
    await page.keyboard.press('Enter');
    await page.locator('#history button').waitFor();
    const kept = String(await page.evaluate(`localStorage.getItem('tensorgate.history')`));
    assert.equal(JSON.parse(kept).length, 20);
    assert.ok(kept.length < 10_000);
    await page.reload();
    await page.click('#history button');
    await page.locator('.bars').waitFor();
    assert.equal(await page.locator('.result h3').textContent(), `${origin.url}/photo.png`);
    // The link of the page asks too.
    await page.waitForLoadState('networkidle');
    await page.click('#forget');
    assert.deepEqual(await texts(page, '#history li'), ['None yet.']);
  });

  test('two versions side by side', async (t) => {
    const versions = new Map([1, 2].map((version) => [version, XCEPTION] as const));
    const server = await startModelServer({
      ...XCEPTION,
      names: ['clothing-model'],
      served: { versions, labels: new Map() },
      onPredict: ({ version }) => ({
        dense_7: floatTensor(
          [1, 10],
          Array.from({ length: 10 }, (_, index) => (index === version ? 9 : 0)),
        ),
      }),
    });
    t.after(() => server.close());
    const MODELS = await modelsFolder(t, { 'clothing-model': CARD });
    const two = await startGatewayFor(t, { TF_SERVING_HOST: server.target, MODELS });
    await two.ready();
    const page = await openSound(t, shared.browser, two.url);
    await page.locator('#compare:not([disabled])').waitFor();
    await page.selectOption('#version', '2');
    await page.selectOption('#compare', '1');
    await page.setInputFiles('#files', path.join(PARITY, 'alpha.png'));
    await page.locator('.side .bars').nth(1).waitFor();
    assert.deepEqual(await texts(page, '.side .title strong'), ['Version 2', 'Version 1']);
    assert.deepEqual(await texts(page, '.side .bars li:first-child .name'), ['longsleeve', 'hat']);
    assert.match(page.url(), /version=2&compare=1/);
    const other = await openSound(t, shared.browser, page.url());
    await other.locator('#compare:not([disabled])').waitFor();
    assert.deepEqual([await other.inputValue('#version'), await other.inputValue('#compare')], ['2', '1']);
  });
});
