/** The C library's `sinf`. Its last bit decides the last bit of TensorFlow's Lanczos weights. */

const HALF_PI = Math.PI / 2;

/** Minimax polynomials of glibc up to 2.40 (sysdeps/ieee754/flt-32/sincosf.h), from the highest power down. */
const SIN = [-0.00019517298981385725, 0.008332178146138854, -0.16666654943701084] as const;
const COS = [2.4390450703564542e-5, -0.001388676379437604, 0.041666623324344516, -0.49999999725108224] as const;

/**
 * Sine of a float32 angle of 0 to 120, as a float32, computed in double within a quarter turn. About one result in 75
 * is not the nearest float32. From glibc 2.41 on `sinf` always gives the nearest.
 */
export function sinf(angle: number): number {
  const quarter = Math.round(angle / HALF_PI);
  const rest = angle - quarter * HALF_PI;
  const square = rest * rest;
  const value = quarter % 2 === 0 ? rest + rest * square * poly(SIN, square) : 1 + square * poly(COS, square);
  return Math.fround(quarter % 4 >= 2 ? -value : value);
}

function poly(coefficients: readonly number[], x: number): number {
  return coefficients.reduce((sum, coefficient) => sum * x + coefficient, 0);
}
