/** Runs what a page tells people to run, as it is pasted, in a fresh checkout, and compares the answers that it shows. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { parse } from 'yaml';
import { parseCard } from '../../gateway/model/card.ts';
import { freePort } from '../tf-serving/server.ts';
import { isAnswer } from './answer.ts';
import { type Checkout, freshCheckout } from './checkout.ts';
import { type Block, blocksIn } from './markdown.ts';

const ROOT = new URL('../../', import.meta.url);
/** Where pages say that the gateway and its metrics are. */
const ADDRESS = 'localhost:9696';
const ADMIN_ADDRESS = 'localhost:9697';

/** Blocks that need Python with TensorFlow, or minutes, run with `make docs-commands` only. */
const WITH_LONG = process.env.DOCS_COMMANDS === 'long';
const TIMEOUT_MS = WITH_LONG ? 3_600_000 : 120_000;

/** How a block is tested. `answer`: it is what the block before it prints. */
type Kind = 'run' | 'server' | 'syntax' | 'answer' | 'shown';

/** Says how a block is tested: by its language and the comment before it. */
export function kindOf({ language, run = '' }: Block, before: Block | undefined): Kind {
  if (language === 'json' && before?.language === 'sh') return 'answer';
  if (language !== 'sh') return 'shown';
  const marks = run.split(', ').filter((mark) => mark !== '');
  for (const mark of marks) assert.match(mark, /^(server|long|needs .+)$/, `no such mark: ${mark}`);
  if (marks.some((mark) => mark.startsWith('needs ')) || (marks.includes('long') && !WITH_LONG)) return 'syntax';
  return marks.includes('server') ? 'server' : 'run';
}

/** Reads the blocks of a page. */
export async function blocksOf(page: string): Promise<readonly Block[]> {
  return blocksIn(await readFile(new URL(page, ROOT), 'utf8'));
}

/** Tests all blocks of a page, in their order. A page without commands to run needs no checkout. */
export async function testPage(page: string): Promise<void> {
  const blocks = await blocksOf(page);
  const kinds = blocks.map((block, at) => kindOf(block, blocks[at - 1]));
  const needsCheckout = kinds.some((kind) => kind === 'run' || kind === 'server');
  describe(page, () => {
    const reader = new Reader(page);
    if (needsCheckout) {
      before(() => reader.open());
      after(() => reader.close());
    }
    for (const [at, block] of blocks.entries()) testBlock(reader, block, kinds[at] ?? 'shown', blocks[at + 1]);
  });
}

function testBlock(reader: Reader, block: Block, kind: Kind, next: Block | undefined): void {
  const what = `${reader.page}:${block.line}`;
  if (kind === 'server') test(`${what} starts the gateway`, { timeout: TIMEOUT_MS }, () => reader.startServer(block));
  if (kind === 'syntax') {
    test(`${what} ${block.run}: its syntax is right`, async () => {
      await reader.outputOf(block, '-n');
    });
  }
  if (kind === 'shown' && block.language === 'yaml') {
    const isCard = /^name: /.test(block.text);
    test(`${what} is ${isCard ? 'a model.yaml that the gateway reads' : 'YAML'}`, () => {
      if (isCard) parseCard(block.text, '/models/shown');
      else parse(block.text);
    });
  }
  if (kind !== 'run') return;
  test(`${what} works as pasted`, { timeout: TIMEOUT_MS }, async () => {
    const output = await reader.outputOf(block);
    if (next?.language !== 'json') return;
    assert.ok(
      isAnswer(next.text, output),
      `${reader.page}:${next.line} shows ${next.text}, and the answer is ${output}`,
    );
  });
}

/** Somebody who pastes the commands of a page into shells in a checkout. */
class Reader {
  readonly page: string;
  #checkout: Checkout | undefined;
  #server: ChildProcess | undefined;
  /** Where the gateway and its metrics are in this test. */
  #address = ADDRESS;
  #adminPort = 0;

  constructor(page: string) {
    this.page = page;
  }

  async open(): Promise<void> {
    this.#adminPort = await freePort();
    this.#checkout = await freshCheckout(WITH_LONG);
  }

  async close(): Promise<void> {
    await this.#stopServer();
    await this.#checkout?.[Symbol.asyncDispose]();
  }

  /** Runs a block to its end. Resolves to its stdout; it has to succeed. */
  async outputOf(block: Block, ...options: readonly string[]): Promise<string> {
    const child = this.#shell(block, ...options);
    const { stdout, stderr } = child;
    assert.ok(stdout && stderr);
    const [output, errors, [code]] = await Promise.all([text(stdout), text(stderr), once(child, 'close')]);
    assert.equal(code, 0, `${this.page}:${block.line} exits with ${code}: ${errors}`);
    return output;
  }

  /** Starts the gateway as the page does, in place of the one before, and waits for the address that it prints. */
  async startServer(block: Block): Promise<void> {
    await this.#stopServer();
    this.#server = this.#shell(block);
    const { stdout, stderr } = this.#server;
    assert.ok(stdout && stderr);
    stdout.resume();
    const lines: string[] = [];
    for await (const line of createInterface({ input: stderr })) {
      lines.push(line);
      const [, found] = /^Ready: http:\/\/(localhost:\d+)\/$/.exec(line) ?? [];
      if (found === undefined) continue;
      this.#address = found;
      stderr.resume();
      return;
    }
    assert.fail(`${this.page}:${block.line} ends without an address: ${lines.join('\n')}`);
  }

  async #stopServer(): Promise<void> {
    const server = this.#server;
    if (server?.pid === undefined || server.exitCode !== null) return;
    process.kill(-server.pid, 'SIGTERM');
    await once(server, 'close');
  }

  /** Starts a shell with the lines of a block. It knows nothing of this process but Node, its compiled code and the ports. */
  #shell({ text: lines }: Block, ...options: readonly string[]): ChildProcess {
    const { HOME, PATH, NODE_COMPILE_CACHE } = process.env;
    const script = lines.replaceAll(ADDRESS, this.#address).replaceAll(ADMIN_ADDRESS, `localhost:${this.#adminPort}`);
    return spawn('bash', ['-eu', '-o', 'pipefail', ...options, '-c', script], {
      cwd: this.#checkout?.folder,
      env: {
        HOME,
        PATH: `${path.dirname(process.execPath)}:${PATH}`,
        PORT: '0',
        ADMIN_PORT: String(this.#adminPort),
        NODE_COMPILE_CACHE,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true, // so that what make starts can be stopped with it
    });
  }
}
