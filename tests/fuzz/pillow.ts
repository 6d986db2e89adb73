/** Pillow in a Python process, as a reference for mutants. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** What Pillow reads: the size, and the CRC-32 of the RGB bytes. Undefined if it refuses the file. */
export type PillowPicture = { readonly width: number; readonly height: number; readonly crc32: number } | undefined;

export type Pillow = { read(file: Uint8Array): Promise<PillowPicture>; close(): void };

const PROGRAM = fileURLToPath(new URL('pillow.py', import.meta.url));
const ANSWER_BYTES = 13;

/** Starts a Python that has Pillow. */
export function startPillow(python: string): Pillow {
  const child = spawn(python, [PROGRAM], { stdio: ['pipe', 'pipe', 'inherit'] });
  const waiting: PromiseWithResolvers<PillowPicture>[] = [];
  let received = Buffer.alloc(0);
  child.stdout.on('data', (bytes: Buffer) => {
    received = Buffer.concat([received, bytes]);
    for (; received.length >= ANSWER_BYTES; received = received.subarray(ANSWER_BYTES)) {
      waiting.shift()?.resolve(answerOf(received));
    }
  });
  child.on('close', () => {
    for (const { reject } of waiting) reject(new Error('Python has ended'));
  });
  return {
    read(file) {
      const head = Buffer.alloc(4);
      head.writeUInt32LE(file.length);
      child.stdin.write(head);
      child.stdin.write(file);
      const answer = Promise.withResolvers<PillowPicture>();
      waiting.push(answer);
      return answer.promise;
    },
    close() {
      child.stdin.end();
    },
  };
}

function answerOf(bytes: Buffer): PillowPicture {
  if (bytes[0] === 0) return undefined;
  return { width: bytes.readUInt32LE(1), height: bytes.readUInt32LE(5), crc32: bytes.readUInt32LE(9) };
}
