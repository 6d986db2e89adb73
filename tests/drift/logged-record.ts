/** A line of the prediction log for a record. */

/** Of version 1, without an answer. */
export const loggedRecord = (model: string, values: object): object => ({
  kind: 'prediction',
  schema: 1,
  time: '2026-11-30T15:00:00.000Z',
  id: 'a',
  request_id: 'a',
  trace_id: 'a',
  row: 0,
  given_id: null,
  model,
  version: 1,
  signature: 'serving_default',
  route: '/predict',
  traffic: null,
  timings: {},
  input: { kind: 'tensors', values, digests: {} },
  class: null,
  score: null,
  scores: null,
  outputs: { values: {}, digests: {} },
});
