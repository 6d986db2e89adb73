/** How the chosen version was made: loaded when its part of the page is opened. */
import { call, Refusal } from './api.js';
import { byId, make } from './dom.js';
import { errorBox } from './error-box.js';
import { number } from './format.js';
import { chosen, chosenVersions } from './models.js';

const part = byId('lineage', HTMLDetailsElement);
const body = byId('lineage-body', HTMLElement);

/**
 * @typedef {{ run_id: string, commit: string | null, dirty: boolean | null, data_sha256: string,
 *   cause: { alert: string, feature: string, starts_at: string } | null,
 *   metrics: Record<'test' | 'validation', Record<string, number>>, gate: { decision: string, against: number | null } | null,
 *   parity: { samples: number, tolerance: number } | null, baseline: { rows: number, features: string[] } | null }} Lineage
 */

/** The chosen version, or the one that requests without a version get. */
const version = () => chosenVersions()[0] || `${chosen()?.version ?? ''}`;

/** Shows the part for the chosen version. What it has is loaded where it is open. */
export function showLineage() {
  const number = version();
  part.hidden = number === '';
  byId('lineage-title', HTMLElement).textContent = `How version ${number} was made`;
  body.replaceChildren();
  if (part.open && number !== '') void load();
}

part.addEventListener('toggle', () => {
  if (part.open && body.childElementCount === 0) void load();
});

async function load() {
  const [model, number] = [chosen()?.name ?? '', version()];
  body.replaceChildren(make('p', { class: 'hint' }, 'Loading…'));
  const shown = await read(model, number);
  if (chosen()?.name === model && version() === number) body.replaceChildren(shown);
}

/** @param {string} model @param {string} number */
async function read(model, number) {
  try {
    const answer = await call(`/v1/models/${encodeURIComponent(model)}/versions/${number}/lineage`);
    return table(await answer.json());
  } catch (thrown) {
    const isMissing = thrown instanceof Refusal && thrown.status === 404;
    return isMissing ? make('p', { class: 'hint' }, thrown.message) : errorBox(thrown);
  }
}

/** @param {Lineage} lineage */
function table({ run_id: run, commit, dirty, data_sha256: data, cause, metrics, gate, parity, baseline }) {
  const { accuracy, mean_absolute_error: error } = metrics.test;
  const [name, figure] = accuracy === undefined ? ['Mean absolute error', error] : ['Accuracy', accuracy];
  const against = gate?.against ? ` against version ${gate.against}` : '';
  const rows = /** @type {[string, string | undefined][]} */ ([
    ['Trained because of', cause ? `${cause.alert} ${cause.feature}, ${cause.starts_at}` : undefined],
    ['Run', run],
    ['Commit', commit === null ? undefined : `${commit}${dirty ? ' and changes' : ''}`],
    ['Data, SHA-256', data],
    [`${name} on test data`, figure === undefined ? undefined : number(figure)],
    ['Gate', gate ? `${gate.decision}${against}` : undefined],
    ['Parity', parity ? `${parity.samples} samples within ${parity.tolerance}` : 'not recorded'],
    ['Baseline', baseline ? `${baseline.features.length} features of ${baseline.rows} rows` : 'not recorded'],
  ]);
  const shown = rows.filter(([, value]) => value !== undefined);
  const cells = shown.map(([head, value = '']) =>
    make('tr', {}, make('th', { scope: 'row' }, head), make('td', {}, value)),
  );
  return make('table', { class: 'values' }, make('tbody', {}, ...cells));
}
