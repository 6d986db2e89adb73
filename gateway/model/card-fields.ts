/** The fields of model.yaml in words: what each takes, with an example. For error texts and for new files. */
import { BACKEND_PROTOCOLS } from '../domain/own-limits.ts';
import { NAMED_SCALES, PILLOW_FILTERS, TENSORFLOW_METHODS } from '../domain/picture.ts';
import { SCORE_KINDS } from '../domain/scores.ts';

export type Field = {
  /** The value, as in "resize takes …". */
  readonly takes: string;
  /** A right value as YAML. It is the default, where there is one. */
  readonly example: string;
  /** What the field means. */
  readonly meaning: string;
  /** Words that are right values, for suggestions. */
  readonly words?: readonly string[];
  /** Names that other tools have for some of the words. */
  readonly synonyms?: Readonly<Record<string, string>>;
  /** The values are text, also where YAML reads a number, a boolean or null. */
  readonly isText?: true;
  /** A new file has the field as a comment. */
  readonly isRare?: true;
  /** The models that have the field. Unset: all. A field of a part is that of its part. */
  readonly of?: 'images' | 'tables';
};

const METHODS = [...new Set<string>([...PILLOW_FILTERS, ...TENSORFLOW_METHODS])];

/** All fields by their path, in the order of a new file. */
export const FIELDS: Readonly<Record<string, Field>> = {
  name: {
    takes: 'letters, digits, dots, dashes and underscores',
    example: 'pets',
    meaning: 'The name of the model at its servers.',
    isText: true,
  },
  signature: {
    takes: 'the name of a signature, or auto',
    example: 'auto',
    meaning:
      'The signature to call. auto: serving_uint8 where a version has it and parity proves it, else serving_default.',
    isText: true,
    isRare: true,
  },
  image: {
    takes: 'fields such as size and scale',
    example: '{size: [224, 224], scale: tf}',
    meaning: 'How training made the input of a picture. A model that takes no pictures has no image part.',
    of: 'images',
  },
  'image.input': {
    takes: 'the name of an input',
    example: 'image',
    meaning: 'The input, where the signature has several.',
    isText: true,
    isRare: true,
  },
  'image.encoded': {
    takes: 'true or false',
    example: 'false',
    meaning:
      'Whether the model decodes pictures itself: its input of strings gets the encoded bytes. No other field but input.',
    isRare: true,
  },
  'image.size': {
    takes: 'height and width, whole numbers from 1 to 8192',
    example: '[224, 224]',
    meaning: 'Height and width of the input in pixels.',
  },
  'image.resize': {
    takes: oneOf(METHODS),
    example: 'nearest',
    meaning: `With engine pillow: ${PILLOW_FILTERS.join(', ')}. With tensorflow: ${TENSORFLOW_METHODS.join(', ')}.`,
    words: METHODS,
  },
  'image.engine': {
    takes: oneOf(['pillow', 'tensorflow']),
    example: 'pillow',
    meaning: 'The library that resized: pillow (also for load_img of Keras) or tensorflow (tf.image.resize).',
    words: ['pillow', 'tensorflow'],
    synonyms: { pil: 'pillow', keras: 'pillow', tf: 'tensorflow' },
  },
  'image.antialias': {
    takes: 'true or false',
    example: 'false',
    meaning: 'The antialias flag of tf.image.resize.',
    isRare: true,
  },
  'image.fit': {
    takes: 'stretch, crop, {shorter: 256}, pad or {pad: 114, place: center}',
    example: 'stretch',
    meaning:
      'How another shape becomes this one: stretch, crop (the largest centred box), {shorter: 256} (resize the shorter side, then crop the centre) or pad (the whole picture, the rest black).',
    words: ['stretch', 'crop', 'pad'],
    synonyms: { letterbox: 'pad' },
  },
  'image.scale': {
    takes: `${NAMED_SCALES.join(', ')} or {mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5]}`,
    example: 'tf',
    meaning:
      'What training made of a pixel x. tf: x / 127.5 - 1. div255: x / 255. torch: by mean and deviation. caffe: BGR minus means. none: x. {mean: […], std: […]}: (x / 255 - mean) / std.',
    words: NAMED_SCALES,
  },
  'image.color': {
    takes: oneOf(['rgb', 'grayscale']),
    example: 'rgb',
    meaning: 'The channels: rgb or grayscale.',
    words: ['rgb', 'grayscale'],
    synonyms: { gray: 'grayscale', grey: 'grayscale', l: 'grayscale' },
  },
  'image.layout': {
    takes: oneOf(['NHWC', 'NCHW']),
    example: 'NHWC',
    meaning: 'The order of the axes: NHWC (channels last) or NCHW (channels first).',
    words: ['NHWC', 'NCHW'],
    synonyms: { channels_last: 'NHWC', channels_first: 'NCHW' },
  },
  'image.pillow': {
    takes: 'the major version of the Pillow that training used',
    example: '13',
    meaning: 'The major version of the Pillow that training used.',
    isRare: true,
  },
  columns: {
    takes: 'a list of the names of all inputs',
    example: '[age, job]',
    meaning: 'The order of the values, where an instance of a table is a plain list.',
    of: 'tables',
    isText: true,
    isRare: true,
  },
  record: {
    takes: 'in, id or both',
    example: '{in: ride, id: ride_id}',
    meaning: 'How a record of a table is wrapped, and the field that comes back with its prediction.',
    of: 'tables',
    isRare: true,
  },
  'record.in': {
    takes: 'the name of a field',
    example: 'ride',
    meaning: 'The field that has the record.',
    isText: true,
    isRare: true,
  },
  'record.id': {
    takes: 'the name of a field',
    example: 'id',
    meaning: 'The field beside the record that comes back with its prediction.',
    isText: true,
    isRare: true,
  },
  inputs: {
    takes: 'the names of inputs, each with about, choices, minimum or maximum',
    example: '{job: {choices: [student, retired]}, age: {about: in years, minimum: 18, maximum: 99}}',
    meaning: 'What people may give for the inputs of a table: for forms. Requests are not checked by it.',
    of: 'tables',
    isRare: true,
  },
  'inputs.NAME': {
    takes: 'about, choices, minimum or maximum',
    example: '{minimum: 18, maximum: 99}',
    meaning: 'What people may give for one input.',
    isRare: true,
  },
  'inputs.NAME.about': {
    takes: 'a few words',
    example: 'in years',
    meaning: 'What the input means.',
    isRare: true,
  },
  'inputs.NAME.choices': {
    takes: 'a list of texts or numbers',
    example: '[student, retired]',
    meaning: 'All values that it takes.',
    isRare: true,
  },
  'inputs.NAME.minimum': {
    takes: 'a number',
    example: '18',
    meaning: 'The smallest number that makes sense.',
    isRare: true,
  },
  'inputs.NAME.maximum': {
    takes: 'a number',
    example: '99',
    meaning: 'The largest number that makes sense.',
    isRare: true,
  },
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
  traffic: {
    takes: 'stable, canary and sticky',
    example: '{stable: 3, canary: {version: 4, share: 10%}, sticky: header x-user-id}',
    meaning: 'Which versions answer requests that name none. Unset: the newest.',
    isRare: true,
  },
  'traffic.stable': {
    takes: 'a version or a label',
    example: '3',
    meaning: 'The version of the requests that the canary does not get. Unset: the newest that is not the canary.',
    isRare: true,
  },
  'traffic.canary': {
    takes: 'version and share',
    example: '{version: 4, share: 10%}',
    meaning: 'A version that gets a share of the requests.',
    isRare: true,
  },
  'traffic.canary.version': {
    takes: 'a version or a label',
    example: '4',
    meaning: 'The version.',
    isRare: true,
  },
  'traffic.canary.share': {
    takes: 'a percentage',
    example: '10%',
    meaning: 'Its share of the requests, or of the keys that `sticky` names.',
    isText: true,
    isRare: true,
  },
  'traffic.sticky': {
    takes: 'header NAME, query NAME or instance id',
    example: 'header x-user-id',
    meaning: 'What keeps a user on one version: requests with the same value of it go to the same one.',
    isText: true,
    isRare: true,
  },
  shadow: {
    takes: 'version, share and backend',
    example: '{version: 5, share: 20%}',
    meaning: 'A version that gets copies of requests, after their answers. Nobody gets its answers: they are compared.',
    isRare: true,
  },
  'shadow.version': {
    takes: 'a version or a label',
    example: '5',
    meaning: 'The version.',
    isRare: true,
  },
  'shadow.share': {
    takes: 'a percentage',
    example: '20%',
    meaning: 'The share of the requests that are copied.',
    isText: true,
    isRare: true,
  },
  'shadow.backend': {
    takes: 'host and protocol',
    example: '{host: "localhost:8501"}',
    meaning: 'Model servers that have it. Unset: those of the model.',
    isRare: true,
  },
  'shadow.backend.host': {
    takes: 'host:port, several by comma, dns:///name:port or unix:/path',
    example: '"localhost:8501"',
    meaning: 'Where they are, as in TF_SERVING_HOST.',
    isText: true,
    isRare: true,
  },
  'shadow.backend.protocol': {
    takes: BACKEND_PROTOCOLS.join(' or '),
    example: 'tf-serving',
    meaning: 'What they speak.',
    words: BACKEND_PROTOCOLS,
    isRare: true,
  },
  guard: {
    takes: `window, min_requests, max_error_rate_increase, max_latency_ratio and min_top1_agreement`,
    example: '{window: 5m, min_requests: 200, max_error_rate_increase: 1%}',
    meaning: 'The bounds of the canary. Beyond one of them it loses its share.',
    isRare: true,
  },
  'guard.window': {
    takes: 'a number of ms, s or m',
    example: '5m',
    meaning: 'The requests of this time are judged. Unset: 5m.',
    isText: true,
    isRare: true,
  },
  'guard.min_requests': {
    takes: 'a whole number from 10 to 1000000',
    example: '200',
    meaning: 'The requests of the canary in the window before it is judged. Unset: 200.',
    isRare: true,
  },
  'guard.max_error_rate_increase': {
    takes: 'a percentage',
    example: '1%',
    meaning: 'How many percentage points its error rate may be above that of the stable version.',
    isText: true,
    isRare: true,
  },
  'guard.max_latency_ratio': {
    takes: 'a number from 1 to 1000',
    example: '1.5',
    meaning: 'How many times as slow as the stable version it may be.',
    isRare: true,
  },
  'guard.min_top1_agreement': {
    takes: 'a percentage',
    example: '95%',
    meaning: 'To how many requests it has to give the best class of the stable version.',
    isText: true,
    isRare: true,
  },
  backend: {
    takes: 'host and protocol',
    example: '{host: "localhost:8500"}',
    meaning: 'Model servers of its own, in place of those of TF_SERVING_HOST.',
    isRare: true,
  },
  'backend.host': {
    takes: 'host:port, several by comma, dns:///name:port or unix:/path',
    example: '"localhost:8500"',
    meaning: 'Where they are, as in TF_SERVING_HOST.',
    isText: true,
    isRare: true,
  },
  'backend.protocol': {
    takes: BACKEND_PROTOCOLS.join(' or '),
    example: 'tf-serving',
    meaning: 'What they speak.',
    words: BACKEND_PROTOCOLS,
    synonyms: { tensorflow: 'tf-serving', 'tensorflow-serving': 'tf-serving' },
    isRare: true,
  },
  timeout: {
    takes: 'a duration such as 500ms, 20s or 2m',
    example: '5s',
    meaning: 'The deadline of its requests, where it is before REQUEST_TIMEOUT.',
    isText: true,
    isRare: true,
  },
  max_in_flight: {
    takes: 'a whole number above zero',
    example: '8',
    meaning:
      'A limit and a queue of its own: images, or requests of records, at once. Unset: all models share MAX_IN_FLIGHT.',
    isRare: true,
  },
};

/** "a, b or c" */
function oneOf(words: readonly string[]): string {
  return `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}
