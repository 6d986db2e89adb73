/** Runs what README.md tells people to run, as it is pasted, in a fresh checkout, and compares the answers that it shows. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { parseCard } from '../../gateway/model/card.ts';
import { runCli } from '../cli.ts';
import { isAnswer } from './answer.ts';
import { type Checkout, freshCheckout } from './checkout.ts';
import { type Block, blocksIn } from './markdown.ts';

const ROOT = new URL('../../', import.meta.url);
const PAGE = await readFile(new URL('README.md', ROOT), 'utf8');
const BLOCKS = blocksIn(PAGE);
/** Where the page says that the gateway is. */
const ADDRESS = 'localhost:9696';

let checkout: Checkout;
let server: ChildProcess | undefined;
/** Where it is in this test. */
let address = '';

/** Starts a shell with the lines of a block. It knows nothing of this process but Node and the ports. */
function shell({ text: lines }: Block, ...options: readonly string[]): ChildProcess {
  const { HOME, PATH } = process.env;
  return spawn('bash', ['-eu', '-o', 'pipefail', ...options, '-c', lines.replaceAll(ADDRESS, address || ADDRESS)], {
    cwd: checkout.folder,
    env: { HOME, PATH: `${path.dirname(process.execPath)}:${PATH}`, PORT: '0', ADMIN_PORT: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true, // so that what make starts can be stopped with it
  });
}

/** Runs a block to its end. Resolves to its stdout; it has to succeed. */
async function outputOf(block: Block, ...options: readonly string[]): Promise<string> {
  const child = shell(block, ...options);
  const { stdout, stderr } = child;
  assert.ok(stdout && stderr);
  const [output, errors, [code]] = await Promise.all([text(stdout), text(stderr), once(child, 'close')]);
  assert.equal(code, 0, `README.md:${block.line} exits with ${code}: ${errors}`);
  return output;
}

before(async () => {
  checkout = await freshCheckout();
});

after(async () => {
  if (server?.pid !== undefined && server.exitCode === null) {
    process.kill(-server.pid, 'SIGTERM');
    await once(server, 'close');
  }
  await checkout[Symbol.asyncDispose]();
});

/** Starts the gateway as the page does, and waits for the address that it prints. */
async function startServer(block: Block): Promise<void> {
  server = shell(block);
  const { stdout, stderr } = server;
  assert.ok(stdout && stderr);
  stdout.resume();
  const lines: string[] = [];
  for await (const line of createInterface({ input: stderr })) {
    lines.push(line);
    const [, found] = /^Ready: http:\/\/(localhost:\d+)\/$/.exec(line) ?? [];
    if (found === undefined) continue;
    address = found;
    stderr.resume();
    return;
  }
  assert.fail(`README.md:${block.line} ends without an address: ${lines.join('\n')}`);
}

for (const [index, block] of BLOCKS.entries()) {
  const { language, line, run } = block;
  const next = BLOCKS[index + 1];
  const what = `README.md:${line}`;
  if (language === 'json') {
    test(`${what} is the answer of a command`, () => assert.equal(BLOCKS[index - 1]?.language, 'sh'));
  } else if (language === 'yaml') {
    test(`${what} is a model.yaml that the gateway reads`, () => {
      assert.ok(parseCard(block.text, '/models/clothing-model').classes?.includes('pants'));
    });
  } else if (language === 'sh' && run === 'server') {
    test(`${what} starts the gateway`, { timeout: 120_000 }, () => startServer(block));
  } else if (language === 'sh' && run !== undefined) {
    test(`${what} ${run}: its syntax is right`, async () => {
      assert.match(run, /^needs /);
      await outputOf(block, '-n');
    });
  } else if (language === 'sh') {
    test(`${what} works as pasted`, async () => {
      const output = await outputOf(block);
      if (next?.language !== 'json') return;
      assert.ok(isAnswer(next.text, output), `README.md:${next.line} shows ${next.text}, and the answer is ${output}`);
    });
  } else test(`${what} is a diagram`, () => assert.equal(language, 'mermaid'));
}

test('there are commands, answers and a server in the page', () => {
  const count = (wanted: (block: Block) => boolean) => BLOCKS.filter(wanted).length;
  assert.equal(
    count(({ run }) => run === 'server'),
    1,
  );
  assert.ok(count(({ language, run }) => language === 'sh' && run === undefined) >= 3);
  assert.ok(count(({ language }) => language === 'json') >= 2);
});

test('every make target and every command that the page names exists', async () => {
  const makefile = await readFile(new URL('Makefile', ROOT), 'utf8');
  const targets = [...PAGE.matchAll(/`make ([a-z][\w-]*)/g)].map(([, name]) => name);
  assert.ok(targets.length >= 6);
  for (const name of targets) assert.match(makefile, new RegExp(`^${name}: .*## `, 'm'), `make ${name}`);
  // The script that completes commands has all of them.
  const { stdout } = await runCli(['completion', 'bash']);
  const commands = [...PAGE.matchAll(/`\.\/tensorgate ([a-z]+)(?: ([a-z]+))?/g)];
  assert.ok(commands.length >= 6);
  for (const [whole, name = '', sub] of commands) {
    assert.match(stdout, new RegExp(`\\b${name}\\b`), whole);
    if (name === 'models' || name === 'keys') assert.match(stdout, new RegExp(`\\b${sub}\\b`), whole);
  }
});

test('every file that the page links to exists', () => {
  const links = [...PAGE.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)|(?:src|srcset)="([^":]+)"/g)];
  const missing = links
    .map(([, link, source]) => link ?? source ?? '')
    .filter((file) => !existsSync(new URL(file, ROOT)));
  assert.deepEqual(missing, []);
  assert.ok(links.length > 20);
});
