/**
 * Builds the folder of the npm package: the program as JavaScript, because Node runs no TypeScript below node_modules, and the files
 * that it reads, in the same places as in the checkout. `node packaging/build.ts [FOLDER]`, by default `dist/`.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { bundleOnnxRuntime } from './onnx-runtime.ts';

const ROOT = path.join(import.meta.dirname, '..');
const DIST = path.resolve(process.argv[2] ?? path.join(ROOT, 'dist'));

/** What is read at run time. Of a version only the graphs that the embedded server reads: a SavedModel is as large again. */
const FILES = [
  'LICENSE',
  'README.md',
  'tensorgate',
  'gateway/**/*.wasm',
  'gateway/wiring/openapi/answers.json',
  'gateway/page/assets/*',
  'protos/**/*.proto',
  'serving/models/models.config',
  'serving/models/*/{model.yaml,README.md}',
  'serving/models/*/{baseline,evaluation,parity}/*',
  'serving/models/*/[0-9]*/*.onnx',
];

function copyFiles(): void {
  for (const file of globSync(FILES, { cwd: ROOT })) {
    mkdirSync(path.dirname(path.join(DIST, file)), { recursive: true });
    cpSync(path.join(ROOT, file), path.join(DIST, file));
  }
}

/** Without checks: `npm run types` does those. */
function compile(project: string): void {
  const tsc = path.join(ROOT, 'node_modules/typescript/bin/tsc');
  const options = [
    '--noEmit',
    'false',
    '--noCheck',
    '--rewriteRelativeImportExtensions',
    '--rootDir',
    ROOT,
    '--outDir',
    DIST,
  ];
  execFileSync(process.execPath, [tsc, '-p', path.join(ROOT, project), ...options], { stdio: 'inherit' });
}

/** What tsc does not rename: programs that run in threads and processes, which are named by their URL, and imports of types. */
function renameRest(): void {
  for (const file of globSync(['**/*.js', 'client/*.d.ts'], { cwd: DIST }).map((name) => path.join(DIST, name))) {
    const code = readFileSync(file, 'utf8');
    const renamed = code
      .replaceAll(/(?<=new URL\('[^']+)\.ts(?=', import\.meta\.url\))/g, '.js')
      .replaceAll(/(?<= from '\.[^']+)\.ts(?=';)/g, '.js');
    if (renamed !== code) writeFileSync(file, renamed);
  }
}

/** What others may import. */
const EXPORTS = {
  './client': { types: './client/client.d.ts', default: './client/client.js' },
  './package.json': './package.json',
};

/** package.json without what only a checkout needs. `files` too: the package is all of its folder. */
function writeManifest(): void {
  const project = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8'));
  const { devDependencies, scripts, nodemonConfig, files, ...manifest } = project;
  const packed = { ...manifest, exports: EXPORTS, bundleDependencies: ['onnxruntime-node'] };
  writeFileSync(path.join(DIST, 'package.json'), `${JSON.stringify(packed, null, 2)}\n`);
}

rmSync(DIST, { recursive: true, force: true });
copyFiles();
compile('packaging');
compile('client');
renameRest();
bundleOnnxRuntime(path.join(ROOT, 'node_modules'), path.join(DIST, 'node_modules'));
writeManifest();
