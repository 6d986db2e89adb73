import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readDeclared } from './onnx-file.ts';
import { echoModel, onnxModel } from './testing/onnx-models.ts';
import { temporaryFolder } from './testing/server.ts';

const pair = onnxModel({
  inputs: [
    { name: 'x', type: 'STRING', shape: ['n', 3, 0] },
    { name: 'é', type: 'BFLOAT16' },
  ],
  outputs: [{ name: 'y', type: 'INT64', shape: [] }],
  nodes: [['Identity', ['x'], 'y']],
  constants: [{ name: 'c', shape: [300], data: new Float32Array(300) }],
});

test('types and shapes are read, and an unknown rank is not a scalar', (t) => {
  const file = join(temporaryFolder(t), 'model.onnx');
  writeFileSync(file, pair);
  const { inputs, outputs } = readDeclared(file);
  assert.deepEqual(
    [...inputs],
    [
      ['x', { code: 8, shape: [-1, 3, 0] }],
      ['é', { code: 16, shape: undefined }],
    ],
  );
  assert.deepEqual([...outputs], [['y', { code: 7, shape: [] }]]);
});

test('a file that is cut or no ONNX model is refused', (t) => {
  const file = join(temporaryFolder(t), 'model.onnx');
  for (const bytes of [pair.subarray(0, -1), pair.subarray(0, 5), Buffer.from('no model at all')]) {
    writeFileSync(file, bytes);
    assert.throws(() => readDeclared(file), /protobuf parsing failed/);
  }
  writeFileSync(file, '');
  assert.equal(readDeclared(file).inputs.size, 0);
});

test('every changed byte gives an error or values, and never hangs', (t) => {
  const file = join(temporaryFolder(t), 'model.onnx');
  const model = echoModel('INT32', ['n', 2]);
  for (const [at, byte] of model.entries()) {
    for (const other of [0, 0xff, byte ^ 8]) {
      writeFileSync(file, Buffer.concat([model.subarray(0, at), Buffer.from([other]), model.subarray(at + 1)]));
      try {
        readDeclared(file);
      } catch (error) {
        assert.match(String(error), /protobuf parsing failed/);
      }
    }
  }
});
