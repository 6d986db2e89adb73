/** Fields of model.yaml for the servers and limits of one model. */
import { BACKEND_PROTOCOLS } from '../../domain/own-limits.ts';
import type { Fields } from './field.ts';

export const SERVER_FIELDS: Fields = {
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
