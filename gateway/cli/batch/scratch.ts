/** Files of this machine for what a batch downloads and uploads. Their folder is made when it is first needed. */
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

export class Scratch implements AsyncDisposable {
  #folder: ReturnType<typeof mkdtempDisposable> | undefined;

  /** The path of a file of this name, which is not there yet. */
  async file(name: string): Promise<string> {
    this.#folder ??= mkdtempDisposable(path.join(tmpdir(), 'tensorgate-batch-'));
    return path.join((await this.#folder).path, name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await (await this.#folder)?.remove();
  }
}
