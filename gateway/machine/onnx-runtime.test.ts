import assert from 'node:assert/strict';
import { test } from 'node:test';
import { missingOnnxRuntime } from './onnx-runtime.ts';

test('ONNX Runtime runs here, where the tests of the embedded server do', () => {
  assert.equal(missingOnnxRuntime(), undefined);
});

test('on a platform without binaries the reason names it', () => {
  const other = { system: 'freebsd', processor: 'x64', libc: 'other' } as const;
  assert.equal(missingOnnxRuntime(other), 'onnxruntime-node has no binaries for freebsd on x64');
  assert.match(missingOnnxRuntime({ ...other, system: 'linux' }) ?? '', /needs a Linux with glibc/);
});
