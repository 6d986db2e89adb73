/** The playground with records and tensors, in Chromium. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import { addModel, addVersion, sumModel } from '../../serving/embedded/testing/onnx-models.ts';
import { startGatewayFor } from '../gateway.ts';
import { modelsFolder } from '../models.ts';
import { axe, openSound, SKIP, shareGateway, texts } from './browser.ts';

/** Chooses a model, and waits for one of its fields. */
async function choose(page: Page, model: string, field: string): Promise<void> {
  await page.selectOption('#model', model);
  await page.locator(`#fields [name=${field}]`).waitFor();
}

/** Predicts what the form or the editor has, and waits for an answer. */
async function predict(page: Page): Promise<void> {
  await page.click('#record .primary');
  await page.locator('.values').waitFor();
}

describe('the playground with records', { skip: SKIP }, () => {
  const shared = shareGateway();

  test('a table has a form with an example record: choices of model.yaml, numbers of the examples', async (t) => {
    const page = await openSound(t, shared.browser, shared.gateway.url);
    await choose(page, 'credit', 'duration');
    const jobs = await texts(page, '#fields select[name=job] option');
    assert.deepEqual(
      [jobs.length, jobs.at(-1), await page.inputValue('#fields [name=job]')],
      [12, 'unknown', 'retired'],
    );
    assert.deepEqual(await texts(page, '#fields small'), ['text', 'text', 'int64 · 100 to 1990 in the examples']);
    await predict(page);
    assert.deepEqual(await texts(page, '.values th'), ['credit_probability', 'credit']);
    const [first] = await texts(page, '.values td');
    await page.click('#next-example');
    await predict(page);
    await page.locator(`.values td:text-is("${first}")`).waitFor({ state: 'detached' });
  });

  test('a prediction is explained by a waterfall from the baseline to the record', async (t) => {
    const page = await openSound(t, shared.browser, shared.gateway.url);
    await choose(page, 'credit', 'duration');
    await predict(page);
    await page.click('.explain button');
    await page.locator('.waterfall').waitFor({ timeout: 60_000 });
    const names = await texts(page, '.waterfall .name');
    assert.deepEqual([names.at(0), names.at(-1)], ['Baseline', 'This record']);
    assert.deepEqual(names.slice(1, -1).toSorted(), ['duration', 'job', 'poutcome']);
    const values = (await texts(page, '.waterfall .value')).map((text) => Number.parseFloat(text.replace('−', '-')));
    const [from = Number.NaN, ...steps] = values;
    const to = steps.pop() ?? Number.NaN;
    const end = steps.reduce((sum, step) => sum + step, from);
    assert.ok(Math.abs(end - to) < 0.001, `${values}`);
    assert.deepEqual(await axe(page), []);
  });

  test('the part about a version says how it was made, or what to do where nothing is recorded', async (t) => {
    const page = await openSound(t, shared.browser, shared.gateway.url);
    await choose(page, 'churn-synthetic', 'tenure');
    assert.deepEqual(await texts(page, '#lineage-title'), ['How version 1 was made']);
    await page.click('#lineage-title');
    await page.locator('#lineage-body td').first().waitFor();
    const heads = await texts(page, '#lineage-body th');
    const cells = await texts(page, '#lineage-body td');
    assert.deepEqual(heads.slice(0, 5), ['Run', 'Commit', 'Data, SHA-256', 'Accuracy on test data', 'Gate']);
    assert.deepEqual([cells[0], cells[3], cells[4]], ['df031a5c5d9042bcb8a39a57863690ed', '0.7827', 'first']);
    assert.equal(cells[heads.indexOf('Parity')], '40 samples within 0.000001');
    // It stays open, and follows the model.
    await choose(page, 'credit', 'duration');
    await page.locator('#lineage-body td:text-is("42 samples within 0.000001")').waitFor();
    await page.route('**/lineage', (route) =>
      route.fulfill({ status: 404, json: { title: 'Not found', detail: 'Train the version again: make train.' } }),
    );
    await choose(page, 'churn', 'tenure');
    await page.locator('#lineage-body p:text-is("Train the version again: make train.")').waitFor();
  });

  test('form and JSON are one record, and an error marks its field', async (t) => {
    const page = await openSound(t, shared.browser, shared.gateway.url);
    await choose(page, 'credit', 'duration');
    await page.fill('#fields [name=duration]', 'long');
    await page.click('#as-json');
    assert.match(await page.inputValue('#editor'), /"duration": "long"/);
    await page.fill('#editor', '{"job": "student", "poutcome": "other", "duration": "short"}');
    await page.click('#as-form');
    assert.equal(await page.inputValue('#fields [name=job]'), 'student');
    await page.click('#record .primary');
    await page.locator('.error').waitFor();
    assert.match((await texts(page, '.error')).join(), /The request is not valid.*duration: expected an integer/);
    await page.locator('#fields [name=duration][aria-invalid=true]').waitFor();
    await page.fill('#fields [name=duration]', '7');
    await predict(page);
    assert.equal(await page.locator('[aria-invalid]').count(), 0);
    await page.click('#as-json');
    await page.fill('#editor', '{"job": ');
    await page.click('#record .primary');
    await page.getByText('The body is not JSON', { exact: true }).waitFor();
  });

  test('a record of the history is asked again', async (t) => {
    const page = await openSound(t, shared.browser, shared.gateway.url);
    await choose(page, 'ride-duration', 'trip_distance');
    await page.fill('#fields [name=trip_distance]', '3.25');
    await predict(page);
    await page.reload();
    await page.locator('#history button').click();
    await page.locator('.values').waitFor();
    assert.equal(await page.inputValue('#model'), 'ride-duration');
    assert.equal(await page.inputValue('#fields [name=trip_distance]'), '3.25');
  });

  test('model.yaml may say what an input means, and between which numbers it is', async (t) => {
    const MODELS = await modelsFolder(t, {
      sums: 'name: sums\ninputs: {x: {about: a weight in kg, minimum: 0, maximum: 9.5}}\n',
    });
    addVersion(path.join(MODELS, 'sums'), 1, addModel(1));
    const stated = await startGatewayFor(t, { MODELS });
    await stated.ready();
    const page = await openSound(t, shared.browser, stated.url);
    await page.locator('#fields [name=x]').waitFor();
    assert.deepEqual(await texts(page, '#fields small'), ['a weight in kg · float · 0 to 9.5']);
    await page.fill('#fields [name=x]', '2');
    await predict(page);
  });

  test('a tensor has a JSON editor with a template of its signature', async (t) => {
    const MODELS = await modelsFolder(t, { sums: 'name: sums\n' });
    addVersion(path.join(MODELS, 'sums'), 1, sumModel());
    const tensors = await startGatewayFor(t, { MODELS });
    await tensors.ready();
    const page = await openSound(t, shared.browser, tensors.url);
    await page.locator('#editor').waitFor();
    assert.deepEqual(JSON.parse(await page.inputValue('#editor')), { x: [0] });
    assert.equal(await page.isDisabled('#as-form'), true);
    await page.fill('#editor', '{"x": [1, 2, 3]}');
    await predict(page);
    assert.deepEqual(await texts(page, '.values td'), ['[6,6,6]']);
  });
});
