import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TensorInfo } from '../domain/tensor.ts';
import { GatewayError } from '../errors.ts';
import { parseCard } from './card.ts';
import { checkVersion } from './check.ts';
import type { Parity } from './parity.ts';
import type { Binding } from './signatures.ts';

const card = parseCard('name: m\nimage: {size: [4, 4], scale: tf}\nclasses: [a, b]', '/models/m');
const input = (dtype: 'DT_FLOAT' | 'DT_UINT8'): TensorInfo => ({ name: 'image', dtype, shape: [-1, 4, 4, 3] });
const outputs: TensorInfo[] = [{ name: 'scores', dtype: 'DT_FLOAT', shape: [-1, 2] }];
const floats = { inputs: [input('DT_FLOAT')], outputs };
const pixels = { inputs: [input('DT_UINT8')], outputs };
const PROVEN: Parity = { state: 'proven', detail: '' };

/** The verdict on a version, the signatures that were tried, and why pixels were not taken. */
async function check(
  prove: (binding: Binding) => Parity,
  signatures = { serving_default: floats, serving_uint8: pixels },
) {
  const tried: string[] = [];
  const reasons: unknown[] = [];
  const log = { debug() {}, warn() {}, error() {}, info: (fields: object) => reasons.push(Object(fields).detail) };
  const metadata = { version: 1, protocol: 'tf-serving', signatures: new Map(Object.entries(signatures)) } as const;
  const verdict = await checkVersion(
    {
      log,
      async prove(binding) {
        tried.push(binding.signature);
        return prove(binding);
      },
    },
    card,
    { server: 's', version: 1, metadata, verdict: { kind: 'open' }, readMs: 0 },
    new AbortController().signal,
  );
  const signature = verdict.kind === 'usable' ? verdict.binding?.signature : verdict.kind;
  return { signature, tried, reasons };
}

test('pictures are sent as pixels where parity proves it', async () => {
  const proven = await check(() => PROVEN);
  assert.deepEqual(proven, { signature: 'serving_uint8', tried: ['serving_uint8'], reasons: [] });
});

test('pictures are sent as floats where pixels are not proven, and the log has the reason', async () => {
  const both = ['serving_uint8', 'serving_default'];
  for (const state of ['unproven', 'differing'] as const) {
    const fallen = await check(({ signature }) => (signature === 'serving_uint8' ? { state, detail: state } : PROVEN));
    assert.deepEqual(fallen, { signature: 'serving_default', tried: both, reasons: [state] });
  }
  const failing = await check(({ signature }) => {
    if (signature === 'serving_uint8') throw new GatewayError('model_failed', 'no kernel');
    return PROVEN;
  });
  assert.deepEqual(failing, { signature: 'serving_default', tried: both, reasons: ['no kernel'] });
});

test('a version without the signature for pixels takes floats', async () => {
  const { signature, tried, reasons } = await check(() => PROVEN, { serving_default: floats } as never);
  assert.deepEqual([signature, tried, reasons.length], ['serving_default', ['serving_default'], 1]);
});

test('a server that is busy or gone is checked again, with pixels first', async () => {
  for (const kind of ['overloaded', 'model_timeout', 'model_unavailable'] as const) {
    const later = await check(() => {
      throw new GatewayError(kind, 'later');
    });
    assert.deepEqual(later, { signature: 'open', tried: ['serving_uint8'], reasons: [] });
  }
});
