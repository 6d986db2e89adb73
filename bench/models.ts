/**
 * A model server with a classifier of pictures, a table and a model of embeddings, and a request of each: for benches of what
 * the gateway adds to a request.
 */
import { readFile } from 'node:fs/promises';
import { floatTensor, startModelServer, XCEPTION } from '../tests/model-server.ts';

/** The inputs of the table, one number each. */
export const FEATURES = ['tenure', 'monthlycharges', 'totalcharges', 'seniority', 'contract', 'partner'];

export const RECORD = Object.fromEntries(FEATURES.map((name, index) => [name, 1.5 * index]));

/** A JPEG of 400 x 533. */
export const PICTURE = await readFile(new URL('../tests/golden/images/jpg-420.jpg', import.meta.url));

const floats = (...shape: number[]) => ({ dtype: 'DT_FLOAT', shape: [-1, ...shape] });

/** The signature of the table. */
export const TABLE = { inputs: Object.fromEntries(FEATURES.map((name) => [name, floats()])), outputs: { p: floats() } };

/** Starts the server with the models clothing-model, churn (FEATURES to p) and embedding (1,000 numbers to p). */
export function startModels() {
  return startModelServer({
    ...XCEPTION,
    models: {
      churn: TABLE,
      embedding: { inputs: { x: floats(1000) }, outputs: { p: floats() } },
    },
    onPredict({ inputs, spec }) {
      const rows = Object.values(inputs)[0]?.shape[0] ?? 1;
      const filled = (count: number) => Array.from({ length: count }, (_, index) => (index % 10) / 10);
      if (spec.name !== 'clothing-model') return { p: floatTensor([rows], filled(rows)) };
      return { dense_7: floatTensor([rows, 10], filled(10 * rows)) };
    },
  });
}
