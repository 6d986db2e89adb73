/** A model of two animals, with versions 3 and 4 on a model server of the test. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { predict, type Service } from '../gateway.ts';
import { floatTensor, type ModelServer, startModelServer } from '../model-server.ts';

export const CARD = 'name: pets\nclasses: [cat, dog]\nscores: probabilities\n';

/** The probability of a cat, by the input. Every tenth input is another animal for version 4. */
export function cat(version: number, x: number): number {
  if (x % 2 !== 0) return 0.1;
  if (version === 3) return 0.8;
  return x % 10 === 0 ? 0.4 : 0.7;
}

const SIGNATURE = {
  inputs: { x: { dtype: 'DT_FLOAT', shape: [-1] } },
  outputs: { p: { dtype: 'DT_FLOAT', shape: [-1, 2] } },
};

/** A model server with versions 3 and 4. Version 4 fails for inputs from `failsFrom` on. */
export async function serverFor(t: TestContext, failsFrom = Infinity): Promise<ModelServer> {
  const server = await startModelServer({
    ...SIGNATURE,
    served: { versions: new Map([3, 4].map((version) => [version, SIGNATURE])), labels: new Map() },
    onPredict({ version, inputs }) {
      const bytes = inputs.x?.tensor_content ?? Buffer.alloc(0);
      const values = Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readFloatLE(4 * index));
      if (version === 4 && values.some((x) => x >= failsFrom)) throw { code: 13, details: 'the model is broken' };
      const rows = values.flatMap((x) => [cat(version, x), 1 - cat(version, x)]);
      return { p: floatTensor([values.length, 2], rows) };
    },
  });
  t.after(() => server.close());
  return server;
}

/** Sends records in groups. */
export async function sendRecords(gateway: Service, records: readonly object[], groupSize = 20): Promise<void> {
  for (let start = 0; start < records.length; start += groupSize) {
    const response = await predict(gateway, { instances: records.slice(start, start + groupSize) }, '?model=pets');
    assert.equal(response.status, 200, await response.text());
  }
}
