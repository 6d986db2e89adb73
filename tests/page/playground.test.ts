/** The playground as people use it, in Chromium. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { addVersion, sumModel } from '../../serving/embedded/testing/onnx-models.ts';
import { runCli } from '../cli.ts';
import { PICTURE } from '../committed-model.ts';
import { type RunningGateway, startGateway, startGatewayFor } from '../gateway.ts';
import { floatTensor, startClothingModel, startModelServer, XCEPTION } from '../model-server.ts';
import { CARD, modelsFolder } from '../models.ts';
import { type Origin, startOrigin } from '../origin.ts';
import { axe, openPage, SKIP, startBrowser } from './browser.ts';

const execute = promisify(execFile);
const PARITY = new URL('../../serving/models/clothing-model/parity/', import.meta.url).pathname;

/** Texts of all elements that match. */
const texts = (page: Page, selector: string) => page.locator(selector).allTextContents();

/** Opens the playground; fails the test at its end if the page threw, or broke its policy. */
async function open(t: TestContext, browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Page> {
  const { page, faults } = await openPage(t, browser, url, options);
  t.after(() => assert.deepEqual(faults, []));
  return page;
}

/** Takes the first example, and waits for its answer and its pictures. */
async function takeExample(page: Page): Promise<void> {
  await page.locator('#examples button').first().click();
  await page.locator('.bars').first().waitFor();
  await page.locator('.pictures canvas').nth(1).waitFor();
}

/** The code of the page by its language. */
async function codes(page: Page): Promise<Record<'curl' | 'python' | 'javascript', string>> {
  const code = { curl: '', python: '', javascript: '' };
  for (const language of ['curl', 'python', 'javascript'] as const) {
    await page.click(`[data-language=${language}]`);
    code[language] = (await page.locator('#code').textContent()) ?? '';
  }
  return code;
}

/** What a program prints, started beside the example pictures. */
async function run(file: string, args: readonly string[]): Promise<string> {
  return (await execute(file, args, { cwd: PARITY })).stdout;
}

describe('the playground', { skip: SKIP }, () => {
  let browser: Browser;
  let gateway: RunningGateway;
  let origin: Origin;

  before(async () => {
    origin = await startOrigin({ '/photo.png': PICTURE });
    gateway = await startGateway({ READY_WHEN: 'all', FETCH_ALLOW_PRIVATE: 'true' });
    await gateway.ready();
    browser = await startBrowser();
  });
  after(async () => {
    await browser.close();
    await gateway.stop();
    await origin.close();
  });

  test('an example is predicted: sorted bars, the pixels beside the original, times, seal and request id', async (t) => {
    const hosts = new Set<string>();
    const page = await open(t, browser, 'about:blank');
    page.on('request', (request) => hosts.add(new URL(request.url()).host));
    await page.goto(gateway.url);
    await takeExample(page);
    const values = (await texts(page, '.bars .value')).map(Number);
    assert.equal(values.length, 5);
    assert.deepEqual(
      values,
      values.toSorted((one, other) => other - one),
    );
    assert.deepEqual(await texts(page, '.pictures figcaption'), ['Original', 'What the model saw']);
    assert.deepEqual(await texts(page, '.side .seal'), ['proven by 5 pictures']);
    assert.match((await texts(page, '.times li')).join(), /decode .* ms,predict .* ms/);
    assert.match((await texts(page, '.side .hint')).join(), /^Request [\w-]{36}$/);
    assert.deepEqual([...hosts], [new URL(gateway.url).host]);
  });

  test('raw scores and another number of classes ask again', async (t) => {
    const page = await open(t, browser, gateway.url);
    await takeExample(page);
    await page.selectOption('#scores', 'raw');
    await page.fill('#top', '10');
    await page.locator('#top').blur();
    await page.locator('.bars li').nth(9).waitFor();
    assert.ok((await texts(page, '.bars .value')).map(Number).some((value) => value < 0));
  });

  test('several files make a gallery, in which a file that is no picture has its error in words', async (t) => {
    const page = await open(t, browser, gateway.url);
    await page.locator('#examples button').first().waitFor();
    const files = ['alpha.png', 'lossless.webp', 'tensors.json'];
    await page.setInputFiles(
      '#files',
      files.map((file) => path.join(PARITY, file)),
    );
    await page.locator('.error').waitFor();
    await page.locator('.bars').nth(1).waitFor();
    await page.getByText('1 of 3 instances failed.').waitFor();
    assert.deepEqual(await texts(page, '.result h3'), files);
    assert.match((await texts(page, '.error')).join(), /The image cannot be read.*is not an image; send JPEG/);
  });

  test('a photo is pasted and dropped', async (t) => {
    const page = await open(t, browser, gateway.url);
    await page.locator('#examples button').first().waitFor();
    const b64 = PICTURE.toString('base64');
    for (const [event, member] of [
      ['paste', 'clipboardData'],
      ['drop', 'dataTransfer'],
    ] as const) {
      await page.evaluate(
        `{ const transfer = new DataTransfer();
           const bytes = Uint8Array.fromBase64('${b64}');
           transfer.items.add(new File([bytes], '${event}.png', { type: 'image/png' }));
           document.dispatchEvent(Object.assign(new Event('${event}', { cancelable: true }), { ${member}: transfer })); }`,
      );
      await page.locator('.result h3', { hasText: `${event}.png` }).waitFor();
      await page.locator('.bars').waitFor();
    }
  });

  test('the address of a photo is predicted, is in the link, and the link restores it', async (t) => {
    const page = await open(t, browser, gateway.url);
    await page.locator('#examples button').first().waitFor();
    await page.fill('#url', `${origin.url}/photo.png`);
    await page.keyboard.press('Enter');
    await page.locator('.bars').waitFor();
    const link = page.url();
    const query = new URL(link).searchParams;
    assert.deepEqual([query.get('model'), query.get('url')], ['clothing-model', `${origin.url}/photo.png`]);
    const [best] = await texts(page, '.bars .name');
    assert.match((await texts(page, '#history strong')).join(), new RegExp(`^${best} 0\\.\\d+$`));
    const other = await open(t, browser, link);
    await other.locator('.bars').waitFor();
    assert.deepEqual(await texts(other, '.pictures figcaption'), ['What the model saw']);
    assert.equal(await other.inputValue('#url'), `${origin.url}/photo.png`);
  });

  test('an address that has no picture is refused in words', async (t) => {
    const page = await open(t, browser, gateway.url);
    await page.locator('#examples button').first().waitFor();
    await page.fill('#url', `${origin.url}/none.png`);
    await page.click('#address button');
    await page.locator('.error').waitFor();
    assert.match((await texts(page, '.error')).join(), /404/);
  });

  test('a table has a form with an example record, which the JSON editor takes over', async (t) => {
    const page = await open(t, browser, gateway.url);
    await page.selectOption('#model', 'credit');
    await page.locator('#fields [name=duration]').waitFor();
    assert.notEqual(await page.inputValue('#fields [name=job]'), '');
    assert.match((await texts(page, '#fields small')).join(), /int64, \d+ to \d+ in the examples/);
    await page.click('#record .primary');
    await page.locator('.values').waitFor();
    assert.deepEqual(await texts(page, '.values th'), ['credit_probability', 'credit']);
    await page.fill('#fields [name=duration]', 'long');
    await page.click('#as-json');
    assert.match(await page.inputValue('#editor'), /"duration": "long"/);
    await page.click('#record .primary');
    await page.locator('.error').waitFor();
    assert.match((await texts(page, '.error')).join(), /duration/);
    await page.fill('#editor', '{"job": ');
    await page.click('#record .primary');
    await page.getByText('The body is not JSON').waitFor();
  });

  test('the code to copy runs, and gives the answer of the page', async (t) => {
    const page = await open(t, browser, gateway.url);
    await takeExample(page);
    const [best = ''] = await texts(page, '.bars .name');
    const picture = await codes(page);
    assert.match(await run('sh', ['-c', picture.curl]), new RegExp(`^{"predictions":\\[{"class":"${best}"`));
    assert.match(await run(process.execPath, ['--input-type=module', '-e', picture.javascript]), new RegExp(best));
    assert.match(picture.python, /^import requests\n.*files=\{'file': open\('tall-420\.jpg', 'rb'\)\}/s);

    await page.selectOption('#model', 'credit');
    await page.locator('#fields [name=job]').waitFor();
    await page.fill('#fields [name=job]', "it's");
    await page.click('#record .primary');
    await page.locator('.values').waitFor();
    const record = await codes(page);
    assert.match(await run('sh', ['-c', record.curl]), /^{"credit_probability":/);
    assert.match(await run(process.execPath, ['--input-type=module', '-e', record.javascript]), /credit_probability/);
    assert.match(record.python, /data='.*"job":"it\\'s".*'\.encode\(\)/);
  });

  test('everything is reached by the keyboard', async (t) => {
    const page = await open(t, browser, gateway.url);
    await page.locator('#examples button').first().waitFor();
    const reached: string[] = [];
    for (let step = 0; step < 30; step += 1) {
      await page.keyboard.press('Tab');
      const name = await page.evaluate(
        'document.activeElement.id || document.activeElement.getAttribute("aria-label")',
      );
      reached.push(String(name));
    }
    for (const id of ['key-button', 'model', 'version', 'files', 'url', 'scores', 'top', 'copy-code', 'copy-link']) {
      assert.ok(reached.includes(id), `${id} is not in ${reached}`);
    }
    await page.locator('#examples button').first().focus();
    await page.keyboard.press('Enter');
    await page.locator('.bars').waitFor();
  });

  for (const colorScheme of ['light', 'dark'] as const) {
    test(`axe finds nothing, also 375 pixels wide, in ${colorScheme}`, async (t) => {
      const page = await open(t, browser, gateway.url, { colorScheme, reducedMotion: 'reduce' });
      await page.locator('#examples button').first().waitFor();
      assert.deepEqual(await axe(page), []);
      await page.setInputFiles(
        '#files',
        ['alpha.png', 'tensors.json'].map((file) => path.join(PARITY, file)),
      );
      await page.locator('.error').waitFor();
      await page.locator('.bars').waitFor();
      await page.setViewportSize({ width: 375, height: 800 });
      assert.deepEqual(await axe(page), []);
      assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 375);
      await page.selectOption('#model', 'churn');
      await page.locator('#fields [name=tenure]').waitFor();
      assert.deepEqual(await axe(page), []);
      await page.click('#key-button');
      assert.deepEqual(await axe(page), []);
    });
  }

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
    const page = await open(t, browser, two.url);
    await page.locator('#compare:not([disabled])').waitFor();
    await page.selectOption('#version', '2');
    await page.selectOption('#compare', '1');
    await page.setInputFiles('#files', path.join(PARITY, 'alpha.png'));
    await page.locator('.side .bars').nth(1).waitFor();
    assert.deepEqual(await texts(page, '.side .title strong'), ['Version 2', 'Version 1']);
    assert.deepEqual(await texts(page, '.side .bars li:first-child .name'), ['longsleeve', 'hat']);
    assert.match(page.url(), /version=2&compare=1/);
  });

  test('a tensor has a JSON editor with a template of its signature', async (t) => {
    const MODELS = await modelsFolder(t, { sums: 'name: sums\n' });
    addVersion(path.join(MODELS, 'sums'), 1, sumModel());
    const tensors = await startGatewayFor(t, { MODELS });
    await tensors.ready();
    const page = await open(t, browser, tensors.url);
    await page.locator('#editor').waitFor();
    assert.deepEqual(JSON.parse(await page.inputValue('#editor')), { x: [0] });
    assert.equal(await page.isDisabled('#as-form'), true);
    await page.fill('#editor', '{"x": [1, 2, 3]}');
    await page.click('#record .primary');
    await page.locator('.values').waitFor();
    assert.deepEqual(await texts(page, '.values td'), ['[6,6,6]']);
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
    const page = await open(t, browser, locked.url);
    await page.locator('#key-dialog[open]').waitFor();
    await page.fill('#key', key);
    await page.keyboard.press('Enter');
    await page.locator('#model option').first().waitFor({ state: 'attached' });
    await page.setInputFiles('#files', path.join(PARITY, 'alpha.png'));
    await page.locator('.bars').waitFor();
    assert.equal((await page.locator('#code').textContent())?.includes(key), false);
    await page.reload();
    await page.locator('#model option').first().waitFor({ state: 'attached' });
    assert.equal(await page.locator('#key-dialog[open]').count(), 0);
    await page.goto(`${locked.url}/docs`);
    await page.locator('.opblock').first().waitFor();
  });

  test('/docs shows every route, and tries one', async (t) => {
    const page = await open(t, browser, `${gateway.url}/docs`);
    await page.locator('.opblock').first().waitFor();
    assert.deepEqual(await texts(page, '#examples summary'), [
      'churn',
      'churn-synthetic',
      'clothing-model',
      'credit',
      'ride-duration',
    ]);
    assert.match((await texts(page, '#examples pre')).at(-3) ?? '', /^curl .*model=ride-duration.*trip_distance/s);
    const { paths } = (await (await fetch(`${gateway.url}/openapi.json`)).json()) as { paths: object };
    const shown = new Set((await texts(page, '.opblock-summary-path')).map((text) => text.replaceAll('\u200b', '')));
    assert.deepEqual(shown, new Set(Object.keys(paths)));
    const route = page.locator('#operations-models-listModels');
    await route.locator('.opblock-summary-control').click();
    await route.locator('.try-out__btn').click();
    await route.locator('.execute').click();
    await route.locator('.live-responses-table .response-col_status', { hasText: '200' }).waitFor();
    assert.match((await route.locator('.curl').textContent()) ?? '', /curl.*\/models/s);
  });
});
