/** The lines of the prediction log. docs/prediction-log.md explains them. */
import { z } from 'zod';

/** Grows when a member changes its meaning or goes. New members do not change it: readers ignore what they do not know. */
export const SCHEMA_VERSION = 1;

const head = {
  schema: z.literal(SCHEMA_VERSION),
  time: z.iso.datetime(),
  /** What a label names: the id that the client gave, else the request's, with the row where it has several. */
  id: z.string(),
  request_id: z.string(),
  trace_id: z.string(),
};

/** A tensor of more elements than a line has room for. `sha256` is null where the request was too large to copy. */
const digest = z.object({ dtype: z.string(), shape: z.array(z.int()), sha256: z.string().nullable() });

/** Tensors of one row by their names: their elements, or what is known of them. */
const tensors = z.object({ values: z.record(z.string(), z.unknown()), digests: z.record(z.string(), digest) });

const picture = z.object({
  kind: z.literal('picture'),
  sha256: z.string().nullable(),
  bytes: z.int(),
  format: z.string().nullable(),
  width: z.int().nullable(),
  height: z.int().nullable(),
  /** Without user, password, query and fragment. Null where the picture was in the request. */
  url: z.string().nullable(),
  /** Of the pixels that the model gets. Null where the client or the model decodes. Older lines do not have it. */
  statistics: z.object({ brightness: z.number(), contrast: z.number(), sharpness: z.number() }).nullish(),
});

const relayed = z.object({
  kind: z.literal('relayed'),
  rows: z.int(),
  bytes: z.int(),
});

export const predictionSchema = z.object({
  kind: z.literal('prediction'),
  ...head,
  row: z.int(),
  given_id: z.string().nullable(),
  model: z.string(),
  version: z.int(),
  signature: z.string(),
  route: z.string(),
  /** Why this version answered. Null where model.yaml has no traffic. The hash: of the key that chose the side. */
  traffic: z
    .object({ role: z.enum(['stable', 'canary', 'named', 'shadow']), sticky_key_hash: z.string().optional() })
    .nullable(),
  input: z.discriminatedUnion('kind', [picture, tensors.extend({ kind: z.literal('tensors') }), relayed]),
  /** The best class. Null where the model has no classes. */
  class: z.string().nullable(),
  /** The probability of the class. Null where the model gives none. */
  score: z.number().nullable(),
  /** The best classes, best first. */
  scores: z.array(z.object({ class: z.string(), score: z.number() })).nullable(),
  /** Of the probabilities of all classes, from 0 to 1. Null without them. Older lines do not have it, nor the energy. */
  entropy: z.number().nullish(),
  /** The energy score of the logits. Null where the model gives none. */
  energy: z.number().nullish(),
  outputs: tensors.extend({ bytes: z.int() }).partial(),
  timings: z.object({ fetch_ms: z.number(), decode_ms: z.number(), predict_ms: z.number() }).partial(),
});

export const feedbackSchema = z.object({ kind: z.literal('feedback'), ...head, label: z.string() });

/** What two versions said of one instance: a shadow and the version that answered, or a canary and the stable version. */
export const comparisonSchema = z.object({
  kind: z.literal('comparison'),
  schema: z.literal(SCHEMA_VERSION),
  time: z.iso.datetime(),
  request_id: z.string(),
  trace_id: z.string(),
  /** Null where the outputs have neither classes nor a decision. */
  row: z.int().nullable(),
  model: z.string(),
  /** The shadow, or the canary. */
  version: z.int(),
  against: z.int(),
  /** Whether both gave the same best class, and how far their probabilities are apart. Null where there is nothing to compare. */
  top1_same: z.boolean().nullable(),
  l1: z.number().nullable(),
  /** Milliseconds of the Predict, with all instances of the request. */
  ms: z.number().nullable(),
  against_ms: z.number().nullable(),
});

export const lineSchema = z.discriminatedUnion('kind', [predictionSchema, feedbackSchema, comparisonSchema]);

export type PredictionLine = z.output<typeof predictionSchema>;
export type ComparisonLine = z.output<typeof comparisonSchema>;
export type FeedbackLine = z.output<typeof feedbackSchema>;
