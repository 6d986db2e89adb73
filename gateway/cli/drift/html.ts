/** The report of `tensorgate drift` as one HTML page, which loads nothing. */
import type { DriftReport, FeatureReport, VersionReport } from './report.ts';
import { escapeHtml, histogram, timeSeries } from './svg.ts';
import { noteOf } from './text.ts';
import { labelOf } from './thresholds.ts';

const STYLE = `
:root { color-scheme: light dark; --text: #1f2328; --muted: #59636e; --line: #d1d9e0; --base: #8c959f; --now: #0969da; --above: #cf222e; --page: #fff; }
@media (prefers-color-scheme: dark) {
  :root { --text: #f0f6fc; --muted: #9198a1; --line: #3d444d; --base: #6e7681; --now: #4493f8; --above: #ff7b72; --page: #0d1117; }
}
body { font: 15px/1.5 system-ui, sans-serif; color: var(--text); background: var(--page); max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .25rem .6rem; border-bottom: 1px solid var(--line); }
td.number, th.number { text-align: right; }
.drifted { color: var(--above); font-weight: 600; }
.muted, figcaption { color: var(--muted); }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr)); gap: 1rem; }
figure { margin: 0; }
svg { width: 100%; height: auto; }
svg text { font-size: 9px; fill: var(--muted); }
svg .left { text-anchor: end; dominant-baseline: middle; }
svg .below { text-anchor: middle; }
.grid { stroke: var(--line); stroke-width: .5; }
.threshold { stroke: var(--above); stroke-dasharray: 4 3; }
.line { stroke: var(--now); stroke-width: 1.5; fill: none; }
.base { fill: var(--base); } .now { fill: var(--now); } .above { fill: var(--above); }
.key { display: inline-block; width: .8em; height: .8em; margin: 0 .3em 0 .8em; }
.key.base { background: var(--base); } .key.now { background: var(--now); }
`;

/** The page. All text of the log is escaped. */
export function htmlOf({ versions, minimum, unreadableLines }: DriftReport): string {
  const unreadable = unreadableLines > 0 ? `<p class="muted">${unreadableLines} lines cannot be read.</p>` : '';
  const few = `<p class="muted">A feature needs ${minimum} predictions for a verdict. One has drifted when a statistic is above its threshold.</p>`;
  const body = versions.length === 0 ? '<p>No predictions in the log.</p>' : versions.map(sectionOf).join('');
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Drift of predictions</title><style>${STYLE}</style></head>
<body><h1>Drift of predictions</h1>${few}${unreadable}${body}</body></html>
`;
}

function sectionOf(version: VersionReport): string {
  const { model, version: number, features } = version;
  const heading = `<h2>${escapeHtml(model)} version ${number}</h2><p>${escapeHtml(noteOf(version))}</p>`;
  return `<section>${heading}${features.length > 0 ? tableOf(features) : ''}${features.map(plotsOf).join('')}</section>`;
}

function tableOf(features: readonly FeatureReport[]): string {
  const rows = features.flatMap(({ feature, count, statistics }) =>
    statistics.map(({ statistic, value, threshold, verdict }) => {
      const numbers = [count, value === null ? '-' : value.toFixed(3), threshold ?? '-'];
      const cells = numbers.map((one) => `<td class="number">${one}</td>`).join('');
      return `<tr><td>${escapeHtml(feature)}</td><td>${labelOf(statistic)}</td>${cells}<td class="${verdict ?? ''}">${verdict ?? '-'}</td></tr>`;
    }),
  );
  const heads = ['Predictions', 'Value', 'Threshold'].map((head) => `<th class="number">${head}</th>`).join('');
  return `<table><thead><tr><th>Feature</th><th>Statistic</th>${heads}<th>Verdict</th></tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

function plotsOf(feature: FeatureReport): string {
  const [first] = feature.statistics;
  const keys = '<span class="key base"></span>baseline<span class="key now"></span>now';
  const captions = [
    `Shares of values ${keys}`,
    `${first ? labelOf(first.statistic) : ''} by hour (UTC), threshold dashed`,
  ];
  const plots = [histogram(feature), timeSeries(feature)];
  const figures = plots.map((plot, index) => `<figure><figcaption>${captions[index]}</figcaption>${plot}</figure>`);
  return `<h3 class="${feature.verdict}">${escapeHtml(feature.feature)}</h3><div class="plots">${figures.join('')}</div>`;
}
