/** Tensors of answers that contradict themselves, or the request. */
import { GatewayError } from '../errors.ts';

/** `got`: what is there in place of the values of the shape. Null: a shape of unknown rank. */
export function misfit(got: string, shape: readonly number[] | null): GatewayError {
  return new GatewayError('model_failed', 'The model answered with a tensor that does not fit its own shape.', {
    cause: new Error(`${got} in a tensor of shape ${shape === null ? 'unknown' : `[${shape}]`}`),
  });
}

export function tooMany(shape: readonly number[]): GatewayError {
  return new GatewayError('model_failed', 'The model answered with more numbers than were asked for.', {
    cause: new Error(`a tensor of shape [${shape}]`),
  });
}
