import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TensorInfo } from '../domain/tensor.ts';
import { cardWithoutFile, parseCard } from './card.ts';
import { tableOf } from './table.ts';

const info = (name: string, dtype = 'DT_FLOAT', shape = [-1]): TensorInfo => ({ name, dtype, shape });
const INPUTS = [info('age', 'DT_INT64'), info('job', 'DT_STRING')];
const OUTPUTS = [info('probability'), info('scores', 'DT_FLOAT', [-1, 2])];

function metadata(inputs = INPUTS, outputs = OUTPUTS, name = 'serving_default') {
  return { version: 3, protocol: 'tf-serving' as const, signatures: new Map([[name, { inputs, outputs }]]) };
}

const table = (fields: string, given = metadata()) => tableOf(parseCard(`name: m\n${fields}`, '/m'), given);

test('a table has the inputs and outputs of the signature, and what model.yaml says of them', () => {
  const fields = `columns: [job, age]
record: {in: row}
classes: [bee, wasp]
output: scores
scores: probabilities
decision: {output: probability, name: leaves}`;
  assert.deepEqual(table(fields), {
    signature: 'serving_default',
    inputs: INPUTS,
    outputs: OUTPUTS,
    columns: ['job', 'age'],
    record: { in: 'row', id: 'id' },
    scores: { output: 'scores', classes: ['bee', 'wasp'], gives: 'probabilities' },
    decision: { output: 'probability', threshold: 0.5, name: 'leaves' },
  });
});

for (const [fields, wanted] of [
  ['columns: [age]', /says columns: \[age\], but version 3 .* has inputs age, job$/],
  ['columns: [age, job, sex]', /says columns: \[age,job,sex\]/],
  [
    'decision: {output: p, name: a}',
    /says decision.output: p, .* has as outputs with one number for each row probability$/,
  ],
  ['decision: {output: scores, name: a}', /says decision.output: scores/],
  ['decision: {output: probability, name: scores}', /two things called scores in its answers/],
  ['inputs: {sex: {about: a}}', /says inputs.sex, .* has inputs age, job$/],
  ['inputs: {age: {choices: [young]}}', /says inputs.age.choices: "young", .* has input age DT_INT64/],
  ['inputs: {job: {maximum: 3}}', /says inputs.job.maximum, .* has input job DT_STRING/],
  ['record: {id: probability}', /two things called probability in its answers/],
  ['redact: [age, ssn]', /says redact: ssn, .* has age, job, id$/],
  ['record: {in: age}', /says record.in: age, .* has an input of this name$/],
  ['classes: [a, b, c]', /says 3 classes, .* has no output of \[n,3\]/],
  ['classes: [probability, b]\noutput: scores', /two things called probability in its answers/],
] as const) {
  test(`${fields} contradicts the signature`, () => {
    assert.throws(() => table(fields), { message: wanted });
  });
}

test('quantised and complex types are refused by name', () => {
  for (const dtype of ['DT_QINT8', 'DT_COMPLEX64', 'DT_RESOURCE']) {
    const wanted = new RegExp(`has x ${dtype} \\[n\\]: quantised and complex types are not served$`);
    assert.throws(() => table('', metadata([info('x', dtype)])), { message: wanted });
    assert.throws(() => tableOf(cardWithoutFile('m'), metadata(INPUTS, [info('y', dtype)])), {
      kind: 'invalid_request',
      message: `signature: serving_default has y of ${dtype}: quantised and complex types are not served`,
    });
  }
});

test('a model without a model.yaml is called by its only signature', () => {
  assert.equal(tableOf(cardWithoutFile('m'), metadata(INPUTS, OUTPUTS, 'predict')).signature, 'predict');
  const two = new Map([...metadata(INPUTS, OUTPUTS, 'a').signatures, ...metadata(INPUTS, OUTPUTS, 'b').signatures]);
  assert.throws(() => tableOf(cardWithoutFile('m'), { version: 1, protocol: 'tf-serving' as const, signatures: two }), {
    message: 'signature: no serving_default in this version; it has a, b',
  });
});
