/** A JSON value that is no tensor of its input: the place, and what is wrong there. */
import { GatewayError } from '../errors.ts';
import { JsonDecimal } from './exact-json.ts';

/** The place of a value in nested lists, as the request names it: `instances[3].tenure[0]`. */
export type PlaceOf = (indexes: readonly number[]) => string;

/** `level`: the number of lists around the value. */
export type Problem =
  | { readonly kind: 'type'; readonly value: unknown; readonly expected: string }
  | { readonly kind: 'scalar'; readonly value: unknown; readonly level: number; readonly size: number }
  | { readonly kind: 'list'; readonly level: number }
  | { readonly kind: 'size'; readonly size: number; readonly expected: number; readonly level: number }
  | { readonly kind: 'shape'; readonly shape: readonly number[]; readonly expected: readonly number[] }
  | { readonly kind: 'unserved'; readonly dtype: string };

export class TensorMistake extends GatewayError {
  readonly problem: Problem;

  constructor(place: string, problem: Problem) {
    super('invalid_request', `${place}: ${textOf(problem)}`);
    this.problem = problem;
  }
}

function textOf(problem: Problem): string {
  switch (problem.kind) {
    case 'type':
      return `expected ${problem.expected}, got ${shown(problem.value)}`;
    case 'scalar':
      return `expected a list of ${problem.size}, got ${shown(problem.value)}`;
    case 'list':
      return 'expected a value, got a list';
    case 'size':
      return `expected a list of ${problem.expected}, as the first one has, got one of ${problem.size}`;
    case 'shape':
      return `expected the shape [${problem.expected.map((size) => (size < 0 ? 'n' : size))}], got [${problem.shape}]`;
    case 'unserved':
      return `${problem.dtype} cannot be sent as JSON`;
  }
}

const SHOWN_LENGTH = 40;

/** A JSON value for error texts, shortened. */
export function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (value instanceof JsonDecimal) return value.value.toFixed(1);
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = typeof value === 'bigint' ? String(value) : (JSON.stringify(value) ?? 'nothing');
  return text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}…` : text;
}
