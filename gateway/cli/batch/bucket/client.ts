/** Lists, reads, writes and removes the objects of one bucket. What the store cannot do now is tried again. */
import { createWriteStream } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { buffer, text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { readStoreVariables } from '../../../config/read.ts';
import { createGcsStore } from '../../../fetch/bucket/gcs.ts';
import { createS3Store } from '../../../fetch/bucket/s3.ts';
import type { Action, Store } from '../../../fetch/bucket/store.ts';
import type { BucketObject } from '../../../fetch/bucket/url.ts';
import { causeOf } from '../../gateway/address.ts';
import { BucketError } from './error.ts';
import { urlOf } from './place.ts';
import { sendTo } from './request.ts';

const MOST_TRIES = 6;
const FIRST_PAUSE_MS = 500;
const MAX_REASON_CHARACTERS = 200;

export type BucketClient = {
  /** The names that begin with the prefix. */
  list(prefix: string): AsyncIterable<string>;
  read(name: string): Promise<Buffer<ArrayBuffer>>;
  /** Reads the object into a file. */
  download(name: string, file: string): Promise<void>;
  /** Writes the object whole, or leaves what was there. */
  write(name: string, body: Blob): Promise<void>;
  /** Removes the object. One that is not there is fine. */
  remove(name: string): Promise<void>;
};

/** Opens a bucket with the platform's credentials. All methods reject with BucketError. */
export function openBucket(place: BucketObject): BucketClient {
  const { gcsEmulator, ...s3 } = readStoreVariables();
  const store = place.scheme === 'gs:' ? createGcsStore(gcsEmulator, 'write') : createS3Store(s3);

  /** Sends it until it is answered with success, or with an error that stays. `take` reads the answer. */
  async function ask<T>(name: string, action: Action, take: (response: IncomingMessage) => Promise<T>, body?: Blob) {
    for (let tries = 1; ; tries += 1) {
      try {
        return await take(await once(store, { ...place, name }, action, body));
      } catch (cause) {
        const error = asBucketError(cause, urlOf(place, name));
        if (!error.isTransient || tries === MOST_TRIES) throw error;
        await sleep(FIRST_PAUSE_MS * 2 ** (tries - 1) * (0.5 + Math.random() / 2));
      }
    }
  }
  const drained = async (response: IncomingMessage) => void (await buffer(response));

  return {
    async *list(prefix) {
      for (let after: string | undefined = ''; after !== undefined; ) {
        const page: string = await ask(prefix, { listAfter: after }, text);
        const { names, next } = store.pageOf(page);
        yield* names;
        after = next;
      }
    },
    read: (name) => ask(name, 'read', buffer),
    download: (name, file) => ask(name, 'read', (response) => pipeline(response, createWriteStream(file))),
    write: (name, body) => ask(name, 'write', drained, body),
    remove: (name) =>
      ask(name, 'remove', drained).catch((error) => {
        if (!isMissing(error)) throw error;
      }),
  };
}

/** One request; a second one if the bucket is in another region. Rejects unless it is answered with success. */
async function once(store: Store, object: BucketObject, action: Action, body?: Blob): Promise<IncomingMessage> {
  let response = await sent(store, object, action, body);
  if (store.isElsewhere(response, object)) {
    response.destroy();
    response = await sent(store, object, action, body);
  }
  const { statusCode: status = 0 } = response;
  if (status >= 200 && status < 300) return response;
  const reason = (await text(response)).replace(/\s+/g, ' ').slice(0, MAX_REASON_CHARACTERS);
  const isTransient = status === 408 || status === 429 || status >= 500;
  throw new BucketError(`${status} ${reason}`.trim(), { isTransient, status });
}

async function sent(store: Store, object: BucketObject, action: Action, body?: Blob): Promise<IncomingMessage> {
  const request = await store.request(object, action).catch((cause) => {
    throw new BucketError(`the platform gives no credentials (${causeOf(cause)})`, { cause });
  });
  return sendTo(request, body);
}

/** With the object's URL. What is no answer at all may come later. */
function asBucketError(cause: unknown, url: string): BucketError {
  if (!(cause instanceof BucketError)) {
    return new BucketError(`${url}: the store does not answer (${causeOf(cause)})`, { isTransient: true, cause });
  }
  const { isTransient, status } = cause;
  return new BucketError(`${url}: ${cause.message}`, { isTransient, status, cause });
}

/** Whether the store has answered that the object does not exist. */
const isMissing = (error: unknown): boolean => error instanceof BucketError && error.status === 404;
