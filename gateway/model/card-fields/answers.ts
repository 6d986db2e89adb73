/** Fields of model.yaml that say what the outputs mean, and what is explained and logged. */
import { SCORE_KINDS } from '../../domain/scores.ts';
import { type Fields, oneOf } from './field.ts';

export const ANSWER_FIELDS: Fields = {
  classes: {
    takes: 'a list of names; quote a name that has a comma, a colon or #',
    example: '[cat, dog]',
    meaning:
      'The names of the classes in the order of the output. One output neuron may have two: the second is what it gives.',
    isText: true,
  },
  output: {
    takes: 'the name of an output',
    example: 'scores',
    meaning: 'The output with the scores, where several have as many numbers as there are classes.',
    isText: true,
    isRare: true,
  },
  scores: {
    takes: oneOf(SCORE_KINDS),
    example: 'logits',
    meaning: 'What the output gives: logits, probabilities (it ends in softmax or sigmoid), sigmoid-logits or values.',
    words: SCORE_KINDS,
    synonyms: { softmax: 'probabilities', sigmoid: 'probabilities', regression: 'values' },
  },
  decision: {
    takes: 'output, threshold and name',
    example: '{output: probability, threshold: 0.5, name: churn}',
    meaning: 'A true or false beside the outputs of a table: whether an output reaches the threshold.',
    of: 'tables',
    isRare: true,
  },
  'decision.output': {
    takes: 'the name of an output with one number for each row',
    example: 'probability',
    meaning: 'The output to compare.',
    isText: true,
    isRare: true,
  },
  'decision.threshold': {
    takes: 'a number',
    example: '0.5',
    meaning: 'The least number that is true.',
    isRare: true,
  },
  'decision.name': {
    takes: 'a name that no output has',
    example: 'churn',
    meaning: 'What the decision is called in the answer.',
    isText: true,
    isRare: true,
  },
  background: {
    takes: 'a file in the folder of model.yaml',
    example: 'background.json',
    meaning: 'The records that explanations compare others with: {"instances": [...]}.',
    of: 'tables',
    isText: true,
    isRare: true,
  },
  redact: {
    takes: 'a list of inputs, or id and url of pictures',
    example: '[id]',
    meaning: 'Fields of an instance that are not in the prediction log.',
    isText: true,
    isRare: true,
  },
};
