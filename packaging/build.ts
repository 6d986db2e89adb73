/**
 * Builds the folder of the npm package: the program as JavaScript, because Node runs no TypeScript below node_modules, and the files
 * that it reads, in the same places as in the checkout. `node packaging/build.ts [FOLDER]`, by default `dist/`.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

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
  'serving/models/*/parity/*',
  'serving/models/*/[0-9]*/*.onnx',
];

function copyFiles(): void {
  for (const file of globSync(FILES, { cwd: ROOT })) {
    mkdirSync(path.dirname(path.join(DIST, file)), { recursive: true });
    cpSync(path.join(ROOT, file), path.join(DIST, file));
  }
}

function compile(): void {
  const tsc = path.join(ROOT, 'node_modules/typescript/bin/tsc');
  execFileSync(process.execPath, [tsc, '-p', import.meta.dirname, '--outDir', DIST], { stdio: 'inherit' });
}

/** Programs that run in threads and processes are named by their URL. tsc renames only what is imported. */
function renamePrograms(): void {
  for (const file of globSync('**/*.js', { cwd: DIST }).map((name) => path.join(DIST, name))) {
    const code = readFileSync(file, 'utf8');
    const renamed = code.replaceAll(/(?<=new URL\('[^']+)\.ts(?=', import\.meta\.url\))/g, '.js');
    if (renamed !== code) writeFileSync(file, renamed);
  }
}

/** package.json without what only a checkout needs. `files` too: the package is all of its folder. */
function writeManifest(): void {
  const { devDependencies, scripts, nodemonConfig, files, ...manifest } = readJson('package.json');
  writeFileSync(path.join(DIST, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}

const readJson = (file: string) => JSON.parse(readFileSync(path.join(ROOT, file), 'utf8'));

rmSync(DIST, { recursive: true, force: true });
copyFiles();
compile();
renamePrograms();
writeManifest();
