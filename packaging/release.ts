/**
 * Makes the files of a release in the folder `release` and builds its images. Publishes nothing (`make release`): docs/release.md says what
 * comes after it.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { notesOf } from './release-notes.ts';

const ROOT = path.join(import.meta.dirname, '..');
const FOLDER = path.join(ROOT, 'release');

/** The images, as .github/workflows/images.yml builds them. */
const IMAGES = [
  { name: 'gateway', context: '.', file: 'gateway/Dockerfile' },
  { name: 'tf-serving', context: 'serving', file: 'serving/Dockerfile' },
  { name: 'embedded', context: '.', file: 'serving/embedded/Dockerfile' },
] as const;

function run(command: string, ...args: readonly string[]): string {
  return execFileSync(command, args, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}

function fail(text: string): never {
  process.stderr.write(`${text}\n`);
  process.exit(1);
}

/** The notes of the version. Fails where it cannot be released. */
function checkedNotes(version: string): string {
  if (run('git', 'tag', '--list', `v${version}`) !== '') fail(`the tag v${version} exists: choose the next version`);
  const notes = notesOf(readFileSync(path.join(ROOT, 'CHANGELOG.md'), 'utf8'), version);
  if (notes === undefined) fail(`CHANGELOG.md has neither a part ${version} nor a part Unreleased with text`);
  if (notes.isUnreleased) process.stdout.write(`notes: of Unreleased; rename that part to ${version} before the tag\n`);
  return notes.text;
}

function writeFiles(notes: string): void {
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER);
  writeFileSync(path.join(FOLDER, 'notes.md'), notes);
  run('make', '--no-print-directory', 'sbom', `SBOM=${path.join(FOLDER, 'sbom.cdx.json')}`);
  run(process.execPath, 'packaging/build.ts');
  run('npm', 'pack', '--loglevel=warn', `--pack-destination=${FOLDER}`, './dist');
  const sums = readdirSync(FOLDER)
    .sort()
    .map(
      (file) =>
        `${createHash('sha256')
          .update(readFileSync(path.join(FOLDER, file)))
          .digest('hex')}  ${file}\n`,
    );
  writeFileSync(path.join(FOLDER, 'SHA256SUMS'), sums.join(''));
  process.stdout.write(sums.join(''));
}

function buildImages(version: string): void {
  if (spawnSync('docker', ['info'], { stdio: 'ignore' }).status !== 0) {
    process.stdout.write('images: skipped, because docker does not run here\n');
    return;
  }
  for (const { name, context, file } of IMAGES) {
    run('docker', 'build', '--quiet', '--file', file, '--tag', `tensorgate/${name}:${version}`, context);
    process.stdout.write(`image tensorgate/${name}:${version}\n`);
  }
}

const { version } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as { version: string };
writeFiles(checkedNotes(version));
buildImages(version);
process.stdout.write(`release ${version} is in ${path.relative(process.cwd(), FOLDER)}; nothing was published\n`);
