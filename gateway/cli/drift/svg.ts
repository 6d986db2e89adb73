/** The plots of the drift report, as SVG. Colours are classes: the page gives them. */
import type { FeatureReport } from './report.ts';

const WIDTH = 420;
const HEIGHT = 150;
const LEFT = 40;
const RIGHT = 8;
const TOP = 10;
const BOTTOM = 22;
const PLOT = { width: WIDTH - LEFT - RIGHT, height: HEIGHT - TOP - BOTTOM };
/** Labels below the plot; more would overlap. */
const MAX_LABELS = 4;

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text for HTML and SVG, in elements and attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => ENTITIES[char] ?? char);
}

/** Two bars for each bucket: its share in the baseline, and now. Empty buckets at the end are left out. */
export function histogram({ buckets }: Pick<FeatureReport, 'buckets'>): string {
  const shown = buckets.filter(({ baseline, now }) => baseline + now > 0);
  const totals = { baseline: sumOf(shown, 'baseline'), now: sumOf(shown, 'now') };
  const shareOf = (count: number, total: number) => (total === 0 ? 0 : count / total);
  const shares = shown.map(({ name, baseline, now }) => ({
    name,
    baseline: shareOf(baseline, totals.baseline),
    now: shareOf(now, totals.now),
  }));
  const most = Math.max(0.01, ...shares.flatMap(({ baseline, now }) => [baseline, now]));
  const step = PLOT.width / Math.max(1, shares.length);
  const bars = shares.map(({ name, baseline, now }, index) => {
    const x = LEFT + index * step;
    const title = `<title>${escapeHtml(name)}: baseline ${percent(baseline)}, now ${percent(now)}</title>`;
    const bar = (kind: string, share: number, at: number) => {
      const height = (share / most) * PLOT.height;
      return `<rect class="${kind}" x="${px(x + at * step)}" y="${px(TOP + PLOT.height - height)}" width="${px(0.38 * step)}" height="${px(height)}"/>`;
    };
    return `<g>${title}${bar('base', baseline, 0.1)}${bar('now', now, 0.5)}</g>`;
  });
  const every = Math.ceil(shares.length / MAX_LABELS);
  const labels = shares.map(({ name }, index) => (index % every === 0 ? label(LEFT + (index + 0.5) * step, name) : ''));
  return svg('Shares of the baseline and now', [...axis(most, percent), ...bars, ...labels]);
}

/** The statistic by time, and its threshold as a line. A period with too few predictions is a gap. */
export function timeSeries({ periods, statistics }: Pick<FeatureReport, 'periods' | 'statistics'>): string {
  const [first] = statistics;
  const threshold = first?.threshold ?? 0;
  const most = 1.1 * Math.max(threshold, ...periods.map(({ value }) => value ?? 0));
  const xOf = (index: number) => LEFT + ((index + 0.5) / Math.max(1, periods.length)) * PLOT.width;
  const yOf = (value: number) => TOP + PLOT.height * (1 - value / most);
  const points = periods.flatMap(({ time, value, count }, index) => {
    if (value === null) return [];
    const text = `${time}: ${value.toFixed(3)}, ${count} predictions`;
    const kind = value > threshold ? 'above' : 'now';
    return `<circle class="${kind}" cx="${px(xOf(index))}" cy="${px(yOf(value))}" r="2.5"><title>${escapeHtml(text)}</title></circle>`;
  });
  const line = `<line class="threshold" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${px(yOf(threshold))}" y2="${px(yOf(threshold))}"/>`;
  const path = `<path class="line" d="${pathOf(periods.map(({ value }, index) => (value === null ? undefined : [xOf(index), yOf(value)])))}"/>`;
  const every = Math.ceil(periods.length / 3);
  const labels = periods.map(({ time }, index) =>
    index % every === 0 ? label(xOf(index), time.replace('T', ' ')) : '',
  );
  return svg('The statistic by time', [...axis(most, (value) => value.toFixed(2)), line, path, ...points, ...labels]);
}

type Point = readonly [x: number, y: number];

/** Lines between neighbours that both have a point. */
function pathOf(points: readonly (Point | undefined)[]): string {
  return points
    .map((point, index) => (point ? `${points[index - 1] ? 'L' : 'M'}${px(point[0])} ${px(point[1])}` : ''))
    .join('');
}

function axis(most: number, text: (value: number) => string): string[] {
  return [0, most / 2, most].map((value) => {
    const y = px(TOP + PLOT.height * (1 - value / most));
    const line = `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y}" y2="${y}"/>`;
    return `${line}<text class="left" x="${LEFT - 4}" y="${y}">${text(value)}</text>`;
  });
}

function label(x: number, text: string): string {
  const short = text.length > 16 ? `${text.slice(0, 15)}…` : text;
  return `<text class="below" x="${px(x)}" y="${HEIGHT - 6}">${escapeHtml(short)}</text>`;
}

function svg(title: string, parts: readonly string[]): string {
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}">${parts.join('')}</svg>`;
}

function sumOf(buckets: FeatureReport['buckets'], side: 'baseline' | 'now'): number {
  return buckets.reduce((sum, bucket) => sum + bucket[side], 0);
}

const px = (value: number) => Number(value.toFixed(1)).toString();
const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
