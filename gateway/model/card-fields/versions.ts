/** Fields of model.yaml that say which version gets which requests. */
import { BACKEND_PROTOCOLS } from '../../domain/own-limits.ts';
import type { Fields } from './field.ts';

export const VERSION_FIELDS: Fields = {
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
};
