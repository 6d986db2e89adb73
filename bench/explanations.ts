/**
 * Measures what explanations of photos are worth: deletion and insertion (Petsiuk et al., RISE, 2018). Pixels are replaced by a blur,
 * those with the largest attributions first (deletion), or come back in that order (insertion); the area under the probability of
 * the best class is compared with that for superpixels in a random order. Smaller is better for deletion, larger for insertion.
 *
 * Ctrl-C ends it with the photos so far.
 *
 *   node bench/explanations.ts PHOTOS [number of photos, 50 by default] [calls of each explanation, 200 by default]
 */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import { createRandom } from '../gateway/domain/random.ts';
import { atOnce } from '../gateway/domain/steps.ts';
import { type FloatPixels, fillOf } from '../gateway/explain/baselines.ts';
import { slic } from '../gateway/explain/slic.ts';
import { startGateway } from './gateway.ts';
import { stopAll } from './load.ts';

const SHARES = [0.1, 0.2, 0.35, 0.5, 0.75];
/** The methods, with their other parameters. */
const METHODS: Readonly<Record<string, string>> = { shapley: '&explain.error=0', occlusion: '' };
const RANDOM = 'random superpixels';
const RESAMPLES = 2000;

const [folder = '', count = '50', calls = '200'] = process.argv.slice(2);
const settings = { MODEL_NAME: 'clothing-model', REQUEST_TIMEOUT: '10m', EXPLAIN_MAX_CALLS: '10000' };
const { port } = await startGateway(settings);
const url = `http://127.0.0.1:${port}`;
while (!(await fetch(`${url}/health/ready`)).ok) await new Promise((resolve) => setTimeout(resolve, 200));

type Areas = { readonly deletion: number; readonly insertion: number };

async function post(route: string, bytes: Uint8Array): Promise<Response> {
  const response = await fetch(`${url}${route}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/octet-stream' },
    body: new Uint8Array(bytes),
  });
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  return response;
}

/** The value of each pixel, by an explanation of the picture. */
async function valuesBy(method: string, png: Uint8Array): Promise<Float64Array> {
  const response = await post(`/predict?explain=${method}&explain.budget=${calls}${METHODS[method]}`, png);
  const { attributions } = ((await response.json()) as { explanations: { attributions: Json } }).explanations;
  const { height, width, rows, columns, values, regions, labels } = attributions;
  const pixels = new Float64Array(height * width);
  if (regions) {
    let at = 0;
    for (let run = 0; run < labels.length; run += 2) {
      pixels.fill(regions[labels[run]].attribution / regions[labels[run]].pixels, at, at + labels[run + 1]);
      at += labels[run + 1];
    }
    return pixels;
  }
  return pixels.map((_, pixel) => {
    const [row, column] = [
      Math.floor((Math.floor(pixel / width) * rows) / height),
      Math.floor(((pixel % width) * columns) / width),
    ];
    return values[row][column];
  });
}
// biome-ignore lint/suspicious/noExplicitAny: the JSON of an explanation
type Json = any;

/** The probability of the class `best`, or the best class with its probability. */
async function score(picture: FloatPixels, pixels: Float32Array, best?: string): Promise<[string, number]> {
  const { width, height } = picture;
  const png = await sharp(new Uint8Array(new Uint8ClampedArray(pixels).buffer), { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
  const scores = (await (await post('/predict?scores=probabilities', png)).json()) as Record<string, number>;
  const [first = ['', 0]] = Object.entries(scores).toSorted(([, one], [, other]) => other - one);
  return best === undefined ? first : [best, scores[best] ?? 0];
}

/** The areas under the curves, by the trapezoid rule. `ends`: the scores of the blur and of the picture. */
async function areasOf(
  picture: FloatPixels,
  fill: Float32Array,
  values: Float64Array,
  best: string,
  ends: readonly [number, number],
): Promise<Areas> {
  const order = [...values.keys()].sort((one, other) => (values[other] ?? 0) - (values[one] ?? 0));
  const curve = async (from: Float32Array, to: Float32Array, first: number, last: number) => {
    const points: [number, number][] = [[0, first]];
    for (const share of SHARES) {
      const mixed = new Float32Array(from);
      for (const pixel of order.slice(0, Math.round(share * order.length)))
        mixed.set(to.subarray(3 * pixel, 3 * pixel + 3), 3 * pixel);
      points.push([share, (await score(picture, mixed, best))[1]]);
    }
    points.push([1, last]);
    return points.slice(1).reduce((sum, [x, y], index) => {
      const [beforeX, beforeY] = points[index] ?? [0, 0];
      return sum + ((x - beforeX) * (y + beforeY)) / 2;
    }, 0);
  };
  const [blur, whole] = ends;
  const { pixels } = picture;
  return { deletion: await curve(pixels, fill, whole, blur), insertion: await curve(fill, pixels, blur, whole) };
}

/** The mean, and the 95 % interval by resampling photos. */
function interval(values: readonly number[]): string {
  const random = createRandom(1);
  const mean = (list: readonly number[]) => list.reduce((sum, value) => sum + value, 0) / list.length;
  const means = Array.from({ length: RESAMPLES }, () =>
    mean(values.map(() => values[Math.floor(random() * values.length)] ?? 0)),
  ).sort((one, other) => one - other);
  const at = (share: number) => means[Math.floor(share * RESAMPLES)]?.toFixed(3);
  return `${mean(values).toFixed(3)} [${at(0.025)}, ${at(0.975)}]`;
}

const files = (await readdir(folder, { recursive: true })).filter((file) => /\.jpe?g$/i.test(file)).sort();
const wanted = Math.min(Number(count), files.length);
const choose = createRandom(0);
/** The list is sorted by class. */
const order = files
  .map((_, index) => [choose(), index] as const)
  .sort(([one], [other]) => one - other)
  .map(([, index]) => index);
let isStopped = false;
process.once('SIGINT', () => {
  isStopped = true;
});
const found = new Map<string, Areas[]>([...Object.keys(METHODS), RANDOM].map((method) => [method, []]));
try {
  for (let index = 0; index < wanted && !isStopped; index += 1) {
    const file = path.join(folder, files[order[index] ?? 0] ?? '');
    const png = await (await post('/predict/pixels', await readFile(file))).bytes();
    const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
    const picture: FloatPixels = {
      height: info.height,
      width: info.width,
      channels: 3,
      pixels: Float32Array.from(data),
    };
    const fill = atOnce(fillOf(picture, 'blur'));
    const [best, whole] = await score(picture, picture.pixels);
    const [, blur] = await score(picture, fill, best);
    const random = createRandom(index);
    const regions = Float64Array.from({ length: 1000 }, random);
    const shuffled = Float64Array.from(atOnce(slic(picture, 48)), (label) => regions[label] ?? 0);
    for (const [method, areas] of found) {
      const values = method === RANDOM ? shuffled : await valuesBy(method, png);
      areas.push(await areasOf(picture, fill, values, best, [blur, whole]));
    }
    process.stderr.write(`\r${index + 1} of ${wanted} photos`);
  }
} finally {
  stopAll();
}
process.stderr.write('\n');
const baseline = found.get(RANDOM) ?? [];
for (const [method, areas] of found) {
  for (const curve of ['deletion', 'insertion'] as const) {
    const better = areas.map((area, index) => {
      const difference = area[curve] - (baseline[index]?.[curve] ?? 0);
      return curve === 'deletion' ? -difference : difference;
    });
    const margin = method === RANDOM ? '' : `, better than random by ${interval(better)}`;
    console.log(`${method}: ${curve} ${interval(areas.map((area) => area[curve]))}${margin}`);
  }
}
