/** Each alert links its page in docs/runbooks, and each page has an alert. */
import assert from 'node:assert/strict';
import { glob, readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { readAlerts } from './rules.ts';
import { ROOT } from './tools.ts';

const RUNBOOKS = path.join(ROOT, 'docs/runbooks');
const pages = (await Array.fromAsync(glob('*.md', { cwd: RUNBOOKS }))).map((file) => path.basename(file, '.md'));

test('each alert has a page and links it, and each page has an alert', async () => {
  const alerts = await readAlerts();
  assert.ok(alerts.length > 10);
  const names = new Set(alerts.map(({ alert }) => alert));
  assert.deepEqual(pages.sort(), [...names].sort());
  for (const { alert, annotations } of alerts) {
    assert.equal(annotations?.runbook_url, `docs/runbooks/${alert}.md`, alert);
  }
});

test('docs/alerts.md lists each alert with a link to its page', async () => {
  const text = await readFile(path.join(ROOT, 'docs/alerts.md'), 'utf8');
  const linked = [...text.matchAll(/\]\(runbooks\/(\w+)\.md\)/g)].map(([, name]) => name);
  assert.deepEqual([...new Set(linked)].sort(), pages.sort());
});

for (const page of pages) {
  test(`${page}.md says what the alert means, what to check with commands, and what to do`, async () => {
    const text = await readFile(path.join(RUNBOOKS, `${page}.md`), 'utf8');
    assert.deepEqual(text.match(/^#+ .*/gm), [`# ${page}`, '## What it means', '## What to check', '## What to do']);
    const check = text.slice(text.indexOf('## What to check'), text.indexOf('## What to do'));
    assert.match(check, /^ {4}\S/m, 'no command');
  });
}
