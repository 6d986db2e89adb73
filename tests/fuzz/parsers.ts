import { address } from './address.ts';
import { answer } from './answer.ts';
import { body } from './body.ts';
import type { Parser } from './fuzz.ts';
import { image } from './image.ts';
import { url } from './url.ts';

/** Everything that reads what strangers, or a broken server, sent. */
export const PARSERS: readonly Parser[] = [url, address, image, body, answer];
