/** The dashboards of the monitoring component reach Grafana, on a cluster and with docker-compose.yml. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { buildCombination, copyManifests } from './overlays.ts';
import { MONITORING } from './rules.ts';
import { options, ROOT } from './tools.ts';

const FOLDER = path.join(MONITORING, 'dashboards');
const files = (await readdir(FOLDER)).sort();

/** kubectl keeps a copy of what it applies in an annotation, which may have 256 KiB. */
const MAX_BYTES = 200 * 1024;

test(
  'the ConfigMap with the label of the sidecar has every dashboard, and kubectl can apply it',
  options,
  async (t) => {
    const copy = await copyManifests();
    t.after(() => rm(copy, { recursive: true }));
    const combination = { name: 'monitoring', overlay: 'kind', components: ['components/monitoring'] };
    const manifests = await buildCombination(copy, combination);
    const [map, ...others] = manifests.filter(({ metadata }) => metadata.labels?.grafana_dashboard === '1');
    const { data } = map as unknown as { readonly data: Readonly<Record<string, string>> };
    assert.deepEqual([others, Object.keys(data).sort()], [[], files]);
    assert.ok(JSON.stringify(data).length < MAX_BYTES);
    for (const file of files) assert.equal(data[file], await readFile(path.join(FOLDER, file), 'utf8'), file);
  },
);

test('Grafana of docker-compose.yml reads the same files, and begins with one of them', async () => {
  const yaml = async (file: string) => parse(await readFile(path.join(ROOT, file), 'utf8'));
  const { grafana } = (await yaml('docker-compose.yml')).services;
  const mounts = new Map(grafana.volumes.map((volume: string) => volume.split(':').slice(0, 2).reverse()));
  const target = '/etc/grafana/provisioning/dashboards/tensorgate.yml';
  const { providers } = await yaml(String(mounts.get(target)));
  const folder = path.join(ROOT, String(mounts.get(providers[0].options.path)));
  assert.equal(path.resolve(folder), path.resolve(FOLDER));
  const home: string = grafana.environment.GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH;
  assert.ok(existsSync(path.join(folder, path.relative(providers[0].options.path, home))));
});
