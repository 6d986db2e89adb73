/** Failed requests in openapi.json, made from the table of errors. */
import { z } from 'zod';
import type { ZodOpenApiResponsesObject } from 'zod-openapi';
import { KINDS, type Kind, statusesOf } from '../../errors.ts';
import { doorHeaders, retryHeaders, unauthenticatedHeaders } from './headers.ts';

const KIND_NAMES = Object.keys(KINDS) as Kind[];

/** What any request may be refused with before its handler. */
const ANY: readonly Kind[] = ['invalid_request', 'unauthenticated', 'quota', 'client_timeout', 'internal'];

/** What a request with a body may be refused with. */
export const BODY: readonly Kind[] = ['invalid_json', 'body_too_large', 'overloaded'];

/** What a request that asks a model may be refused with. */
export const MODEL: readonly Kind[] = [
  'invalid_tensor',
  'model_not_found',
  'version_not_proven',
  'overloaded',
  'model_failed',
  'model_unavailable',
  'model_timeout',
];

/** What a request with pictures may be refused with. */
export const PICTURES: readonly Kind[] = KIND_NAMES.filter((kind) => /^(?:image|source)_|^invalid_url$/.test(kind));

/** The body of a failure with one of these statuses. */
export type FailureBody = (status: number) => { readonly type: string; readonly schema: z.ZodType };

/**
 * The answers of failures by their status: those of these kinds, and those of every request. `bodyOf`: how the protocol
 * renders them.
 */
export function refusals(kinds: readonly Kind[], bodyOf: FailureBody = problemBody): ZodOpenApiResponsesObject {
  const all = KIND_NAMES.filter((kind) => ANY.includes(kind) || kinds.includes(kind));
  const statuses = [...new Set(all.flatMap(statusesOf))].sort((one, other) => one - other);
  const answers = statuses.map((status) => {
    const named = all.filter((kind) => statusesOf(kind).includes(status));
    const { type, schema } = bodyOf(status);
    const description = named.map((kind) => `\`${kind}\`: ${KINDS[kind].title}.`).join(' ');
    return [status, { description, headers: headersOf(status), content: { [type]: { schema } } }];
  });
  return { ...Object.fromEntries(answers), 431: TOO_LONG };
}

function headersOf(status: number) {
  if (status === 401) return unauthenticatedHeaders;
  return status === 429 || status === 503 ? retryHeaders : doorHeaders;
}

/** The members that do not depend on the request: in a list of predictions, a failed one has them. */
const members = z.object({
  type: z.string().regex(/^urn:tensorgate:error:\w+$/),
  title: z.string(),
  status: z.int().min(400).max(599),
  detail: z.string().describe('The field that is wrong, and the fix.'),
  kind: z.enum(KIND_NAMES),
  source_status: z.int().optional().describe("The status of the source's answer, for `source_failed`."),
});

/** A prediction that failed, beside others that did not. */
export const failureSchema = members.meta({ id: 'Failure' });

const problemSchemas = new Map(
  [...new Set([...KIND_NAMES.flatMap(statusesOf), 431])].map((status) => {
    const kinds = status === 431 ? ['invalid_request'] : KIND_NAMES.filter((kind) => statusesOf(kind).includes(status));
    const schema = members
      .extend({ status: z.literal(status), kind: z.enum(kinds), request_id: z.string(), trace_id: z.string() })
      .meta({ id: `Problem${status}`, description: 'A failure (RFC 9457). The kinds are a closed set.' });
    return [status, schema];
  }),
);

/** application/problem+json. */
export function problemBody(status: number): ReturnType<FailureBody> {
  return { type: 'application/problem+json', schema: problemSchemas.get(status) ?? members };
}

const errorText = z.strictObject({ error: z.string() }).meta({ id: 'ErrorText', description: 'The error as text.' });

/** `{"error": "text"}`, as error-text.ts writes it. */
export function errorTextBody(): ReturnType<FailureBody> {
  return { type: 'application/json', schema: errorText };
}

/** Node refuses such a request before it has a route. */
const TOO_LONG = {
  description: 'The headers are larger than 16 KiB, or too many.',
  headers: doorHeaders,
  content: { [problemBody(431).type]: { schema: problemBody(431).schema } },
};
