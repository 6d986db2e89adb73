/** Instances for the examples of openapi.json, of the committed models. */

/** For the model `credit`. */
export const CREDIT_RECORD = { job: 'student', duration: 280, poutcome: 'failure' } as const;

/** For the model `clothing-model`: a PNG of 2 x 2 pixels. */
export const TINY_PICTURE = {
  b64: 'iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAEElEQVR42mM4IQcEJxggFAAcfgQRW58tGwAAAABJRU5ErkJggg==',
} as const;
