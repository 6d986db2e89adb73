/** Predictions: one request for each instance and version. */
import { call } from './api.js';
import { readTimes } from './times.js';

/**
 * A photo (`blob` or `url`) or a record (`json`).
 * @typedef {{ title: string, blob?: Blob, url?: string, json?: string }} Instance
 * @typedef {{ model: string, version: string, scores: string, top: string }} Question
 * @typedef {{ answer: unknown, version: string, id: string, times: import('./times.js').StageTime[],
 *   areProbabilities: boolean }} Prediction
 */

/**
 * The address of a question. Scores and top are left out for models without classes.
 * @param {Question} question
 */
export function addressOf({ model, version, scores, top }) {
  const query = new URLSearchParams({ model });
  if (version !== '') query.set('version', version);
  if (scores !== '') query.set('scores', scores);
  if (top !== '') query.set('top', top);
  if (scores !== '') query.set('format', 'list');
  return `/predict?${query}`;
}

/**
 * The body of a request.
 * @param {Instance} instance
 * @returns {RequestInit}
 */
function requestOf({ blob, url, json }) {
  // Every file is sent as a picture: the gateway looks at its bytes, and says what is wrong with one that is none.
  const type = blob?.type.startsWith('image/') ? blob.type : 'image/*';
  if (blob) return { method: 'POST', headers: { 'Content-Type': type }, body: blob };
  const body = json ?? JSON.stringify({ url });
  return { method: 'POST', headers: { 'Content-Type': 'application/json' }, body };
}

/**
 * @param {Instance} instance
 * @param {Question} question
 * @returns {Promise<Prediction>}
 */
export async function predict(instance, question) {
  const response = await call(addressOf(question), requestOf(instance));
  return {
    answer: await response.json(),
    version: response.headers.get('X-Model-Version') ?? '',
    id: response.headers.get('X-Request-Id') ?? '',
    times: readTimes(response.headers.get('Server-Timing') ?? ''),
    areProbabilities: question.scores === 'probabilities',
  };
}

/**
 * The pixels that the model sees, as a PNG.
 * @param {Instance} instance
 * @param {Pick<Question, 'model' | 'version'>} question
 */
export async function seenPixels(instance, { model, version }) {
  const query = new URLSearchParams({ model, ...(version !== '' && { version }) });
  return (await call(`/predict/pixels?${query}`, requestOf(instance))).blob();
}

/**
 * What has moved the score of a record.
 * @param {Instance} instance
 * @param {Question} question
 * @param {string} method
 * @returns {Promise<import('./waterfall.js').Explanation>}
 */
export async function explanationOf(instance, question, method) {
  const response = await call(`${addressOf(question)}&explain=${method}`, requestOf(instance));
  const { explanations } = await response.json();
  return Array.isArray(explanations) ? explanations[0] : explanations;
}

/**
 * The heat map of a photo, and the pixels below it.
 * @param {Instance} instance
 * @param {Question} question
 * @param {string} method
 */
export async function heatOf(instance, question, method) {
  const address = `${addressOf(question)}&explain=${method}&explain.format=png`;
  const [heat, seen] = await Promise.all([
    call(address, requestOf(instance)).then((response) => response.blob()),
    seenPixels(instance, question),
  ]);
  return { heat, seen };
}
