import { address } from './address.ts';
import { answer } from './answer.ts';
import { body } from './body.ts';
import { dns } from './dns.ts';
import type { Parser } from './fuzz.ts';
import { grpc } from './grpc.ts';
import { image } from './image.ts';
import { invocations } from './invocations.ts';
import { jpeg } from './jpeg.ts';
import { openInferenceAnswer } from './open-inference-answer.ts';
import { openInferenceRest } from './open-inference-rest.ts';
import { tfServingRest } from './tf-serving-rest.ts';
import { url } from './url.ts';

/** All parsers of untrusted input: from clients, image sources and model servers. */
export const PARSERS: readonly Parser[] = [
  url,
  address,
  dns,
  image,
  jpeg,
  body,
  invocations,
  tfServingRest,
  openInferenceRest,
  answer,
  openInferenceAnswer,
  grpc,
];
