/** Checks of a gateway in front of the committed photo model. They hold for every kind of model server. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { predict, type Service } from './gateway.ts';

const FOLDER = new URL('../serving/models/clothing-model/', import.meta.url);
const PARITY = new URL('parity/', FOLDER);

type Scores = Readonly<Record<string, number>>;
type Check = readonly [what: string, check: (gateway: Service) => Promise<void>];

/** The highest version in the folder, which is the default version. */
export const NEWEST = Math.max(...(await readdir(FOLDER)).filter((name) => /^\d+$/.test(name)).map(Number));

const { samples } = await json<{ samples: { file: string }[] }>('tensors.json');
const { scores, tolerance } = await json<{ scores: Record<string, number[]>; tolerance: number }>(`${NEWEST}.json`);
const pictures = await Promise.all(samples.map(async ({ file }) => ({ file, bytes: await readFile(at(file)) })));

/** One of the model's own pictures. */
export const PICTURE = pictures[0]?.bytes ?? assert.fail('no picture in parity/');

function at(file: string): URL {
  return new URL(file, PARITY);
}

async function json<T>(file: string): Promise<T> {
  return JSON.parse(await readFile(at(file), 'utf8'));
}

/** Sends a picture as the request body. */
export function classify({ url }: Service, bytes: Uint8Array = PICTURE, query = ''): Promise<Response> {
  const body = new Uint8Array(bytes);
  return fetch(`${url}/predict${query}`, { method: 'POST', headers: { 'Content-Type': 'image/*' }, body });
}

function assertTrainingScores(file: string, answer: Scores): void {
  const wanted = scores[file] ?? assert.fail(`no scores of ${file}`);
  for (const [index, [name, score]] of Object.entries(answer).entries()) {
    const expected = wanted[index] ?? Number.NaN;
    assert.ok(Math.abs(score - expected) <= tolerance, `${file}, ${name}: ${score}, expected ${expected}`);
  }
  assert.equal(Object.keys(answer).length, wanted.length);
}

async function read<T>(response: Response): Promise<T> {
  assert.equal(response.status, 200, await response.clone().text());
  assert.equal(response.headers.get('x-model-version'), String(NEWEST));
  return (await response.json()) as T;
}

export const CHECKS: readonly Check[] = [
  [
    'the newest version is served and its parity is proven',
    async ({ url }) => {
      type Ready = { models: Record<string, { version: number; parity: { state: string } }> };
      const { models } = (await (await fetch(`${url}/health/ready`)).json()) as Ready;
      const model = models['clothing-model'];
      assert.deepEqual([model?.version, model?.parity.state], [NEWEST, 'proven']);
    },
  ],
  [
    'the scores of a picture equal those computed in training',
    async (gateway) => {
      for (const { file, bytes } of pictures) assertTrainingScores(file, await read(await classify(gateway, bytes)));
    },
  ],
  [
    'several pictures in one request get the same scores, in request order',
    async (gateway) => {
      const instances = pictures.map(({ bytes }) => ({ b64: bytes.toString('base64') }));
      const { predictions } = await read<{ predictions: Scores[] }>(await predict(gateway, { instances }));
      assert.equal(predictions.length, pictures.length);
      for (const [index, { file }] of pictures.entries()) assertTrainingScores(file, predictions[index] ?? {});
    },
  ],
  [
    'pictures sent as files of a form get the same scores',
    async ({ url }) => {
      const body = new FormData();
      for (const { file, bytes } of pictures) body.append('file', new Blob([new Uint8Array(bytes)]), file);
      const response = await fetch(`${url}/predict`, { method: 'POST', body });
      const { predictions } = await read<{ predictions: Scores[] }>(response);
      for (const [index, { file }] of pictures.entries()) assertTrainingScores(file, predictions[index] ?? {});
    },
  ],
  [
    'an instance that is not a picture gets an error at its index',
    async (gateway) => {
      const instances = [{ b64: 'AAAAAAAA' }, { b64: PICTURE.toString('base64') }];
      const { predictions } = await read<{ predictions: Scores[] }>(await predict(gateway, { instances }));
      assert.deepEqual(Object.keys(predictions[0] ?? {}), ['error']);
      assertTrainingScores(pictures[0]?.file ?? '', predictions[1] ?? {});
    },
  ],
  [
    'top returns the K best classes, best first; probabilities sum to 1',
    async (gateway) => {
      const raw = await read<Scores>(await classify(gateway));
      const best = Object.entries(raw).toSorted(([, a], [, b]) => b - a);
      const top = await read<Scores>(await classify(gateway, PICTURE, '?top=3'));
      assert.deepEqual(
        Object.keys(top),
        best.slice(0, 3).map(([name]) => name),
      );
      const all = await read<Scores>(await classify(gateway, PICTURE, '?scores=probabilities'));
      assert.ok(Math.abs(Object.values(all).reduce((sum, value) => sum + value, 0) - 1) < 1e-9);
    },
  ],
  [
    'an unknown version and an unknown label are 404, each with its own detail',
    async (gateway) => {
      await read(await classify(gateway, PICTURE, `?version=${NEWEST}`));
      for (const [query, words] of [
        ['?version=99999', /^version: no model server has version 99999 of clothing-model/],
        ['?label=nobody', /^label: no version of clothing-model has this label/],
      ] as const) {
        const response = await classify(gateway, PICTURE, query);
        const { kind, detail } = (await response.json()) as { kind: string; detail: string };
        assert.deepEqual([response.status, kind], [404, 'model_not_found']);
        assert.match(detail, words);
      }
    },
  ],
];
