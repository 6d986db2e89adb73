/** ONNX Runtime as a part of the npm package, so that an installation needs nothing from outside the registry. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** The gateway runs on Linux and macOS, so the libraries for Windows are left out. They are half of the original package. */
const PARTS = [
  'onnxruntime-node/dist',
  'onnxruntime-node/bin/napi-v6/linux',
  'onnxruntime-node/bin/napi-v6/darwin',
  'onnxruntime-common/dist',
  'onnxruntime-common/package.json',
];

/**
 * Copies ONNX Runtime from one `node_modules` to another, without its install script, which downloads CUDA. The packages that only the
 * script needs are no dependencies then.
 */
export function bundleOnnxRuntime(from: string, to: string): void {
  for (const part of PARTS) cpSync(path.join(from, part), path.join(to, part), { recursive: true });
  const manifestIn = (folder: string) => path.join(folder, 'onnxruntime-node/package.json');
  const { scripts, devDependencies, ...manifest } = JSON.parse(readFileSync(manifestIn(from), 'utf8'));
  const dependencies = { 'onnxruntime-common': manifest.dependencies['onnxruntime-common'] };
  writeFileSync(manifestIn(to), `${JSON.stringify({ ...manifest, dependencies }, null, 2)}\n`);
}
