/** Fields of model.yaml that say what a model is given: its name, signature, pictures and records. */
import { NAMED_SCALES, PILLOW_FILTERS, TENSORFLOW_METHODS } from '../../domain/picture.ts';
import { type Fields, oneOf } from './field.ts';

const METHODS = [...new Set<string>([...PILLOW_FILTERS, ...TENSORFLOW_METHODS])];

export const INPUT_FIELDS: Fields = {
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
};
