/** All Grafana dashboards, and the files that `make docs` writes of them. */
import { type Dashboard, dashboardJson } from './dashboard.ts';
import { DRIFT } from './drift.ts';
import { MODELS } from './models.ts';
import { OVERVIEW } from './overview.ts';
import { SATURATION } from './saturation.ts';
import { SERVERS } from './servers.ts';

export const DASHBOARDS: readonly Dashboard[] = [OVERVIEW, SATURATION, MODELS, DRIFT, SERVERS];

const FOLDER = new URL('../../kubernetes/components/monitoring/dashboards/', import.meta.url);

/** The text of each file. */
export function writtenDashboards(): ReadonlyMap<URL, string> {
  return new Map(DASHBOARDS.map((dashboard) => [new URL(`${dashboard.name}.json`, FOLDER), dashboardJson(dashboard)]));
}
