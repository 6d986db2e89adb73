/** The examples of openapi.json are what a gateway answers, and the document is what it serves. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { readConfig } from '../../gateway/config/read.ts';
import { describeAdminPort, describeService } from '../../gateway/wiring/openapi/document.ts';
import { ANSWERS, type Answers } from '../../gateway/wiring/openapi/examples.ts';
import { runCli } from '../cli.ts';
import { startGatewayFor } from '../gateway.ts';
import { recordAnswers, SETTINGS } from './record.ts';

/** Processors differ in the last digits of a score. */
const TOLERANCE = 1e-4;

/** The value with numbers that are about those of `other` replaced by them. */
function near(value: unknown, other: unknown): unknown {
  if (typeof value === 'number' && typeof other === 'number') {
    return Math.abs(value - other) <= TOLERANCE * Math.max(1, Math.abs(other)) ? other : value;
  }
  if (typeof value !== 'object' || value === null || typeof other !== 'object' || other === null) return value;
  if (Array.isArray(value)) return value.map((item, index) => near(item, (other as unknown[])[index]));
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, near(item, (other as Record<string, unknown>)[name])]),
  );
}

test('the recorded answers are those of a gateway (`make docs` records them), and each port serves its document', async (t) => {
  const gateway = await startGatewayFor(t, { ...SETTINGS, AIP_PREDICT_ROUTE: '/vertex' });
  await gateway.ready();
  const recorded = JSON.parse(await readFile(ANSWERS, 'utf8')) as Answers;
  const live = await recordAnswers(gateway);
  assert.deepEqual(near(live, recorded), recorded);
  const served = await fetch(`${gateway.url}/openapi.json`);
  assert.equal(served.headers.get('content-type'), 'application/json');
  const config = readConfig({ 'aip-predict-route': '/vertex' }, {});
  assert.deepEqual(await served.json(), JSON.parse(JSON.stringify(describeService(config))));
  const admin = await fetch(`${gateway.adminUrl}/openapi.json`);
  assert.deepEqual(await admin.json(), JSON.parse(JSON.stringify(describeAdminPort())));
});

test('tensorgate openapi prints the document of a gateway with these settings', async () => {
  const { stdout } = await runCli(['openapi', '--max-instances', '3']);
  assert.deepEqual(
    JSON.parse(stdout),
    JSON.parse(JSON.stringify(describeService(readConfig({ 'max-instances': '3' }, {})))),
  );
  const admin = await runCli(['openapi', '--admin']);
  assert.deepEqual(JSON.parse(admin.stdout), JSON.parse(JSON.stringify(describeAdminPort())));
});

/** What an operation of the document has. */
type Described = {
  readonly responses: Record<string, { readonly content?: Record<string, { readonly examples?: object }> }>;
};

test('every operation of the document has an example of an answer, but for versions, labels, pages and the document itself', () => {
  for (const document of [describeService(readConfig({}, {})), describeAdminPort()]) {
    const operations = Object.values(document.paths ?? {}).flatMap((path) =>
      Object.values(path as Record<string, Described & { operationId: string }>),
    );
    const without = operations.filter(({ responses }) =>
      Object.values(responses).every(({ content = {} }) => Object.values(content).every(({ examples }) => !examples)),
    );
    const names = without.map(({ operationId }) => operationId);
    assert.deepEqual(
      names.filter((name) => !/Of(?:Version|Label)$|^get(?:Document|Playground|Reference)$/.test(name)),
      [],
    );
  }
});
