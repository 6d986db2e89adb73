/** The headers of answers, for openapi.json. */
import { z } from 'zod';

/** A header that the document has once. */
const header = <Schema extends z.ZodType>(schema: Schema, id: string, description: string) =>
  schema.meta({ description, header: { id } });
const text = z.string();
const digits = z.string().regex(/^\d+$/);

/** Of every answer that has passed the door. */
export const doorHeaders = z.object({
  'X-Request-Id': header(
    z.string().regex(/^[\x21-\x7e]{1,128}$/),
    'RequestId',
    'The id of the request: the one that the client sent in this header, or a new one. It is in the log.',
  ),
  'Server-Timing': header(
    text.optional(),
    'ServerTiming',
    'Milliseconds of each stage, and in total; what decoded the images (W3C).',
  ),
  'X-Trace-Id': header(
    z
      .string()
      .regex(/^[\da-f]{32}$/)
      .optional(),
    'TraceId',
    'The trace of a request that failed (W3C Trace Context). It is in the log.',
  ),
  RateLimit: header(text.optional(), 'RateLimit', 'What is left of the rate limit, where there is one.'),
  'RateLimit-Policy': header(text.optional(), 'RateLimitPolicy', 'The rate limit, where there is one.'),
});

/** Of an answer that a version of a model gave. */
export const versionHeaders = doorHeaders.extend({
  'X-Model-Version': header(digits, 'ModelVersion', 'The version of the model that answered.'),
});

/** Of a refusal after which a client may try again. */
export const retryHeaders = doorHeaders.extend({
  'Retry-After': header(digits, 'RetryAfter', 'Seconds after which the client may try again (RFC 9110).'),
});

/** Of a refusal for the API key. */
export const unauthenticatedHeaders = doorHeaders.extend({
  'WWW-Authenticate': header(text, 'Authenticate', 'How to send the API key (RFC 6750).'),
});
