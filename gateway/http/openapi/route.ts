/** What openapi.json says of a route. Each folder with routes has this in its openapi.ts. */
import { type ZodType, z } from 'zod';
import type { ZodOpenApiOperationObject } from 'zod-openapi';

/** Settings that the description depends on. */
export type DescribedSettings = {
  readonly maxInstances: number;
  /** The path that Vertex AI chooses for predictions. */
  readonly predictRoute?: string | undefined;
};

/** An example request: the values of parameters, and the body. Its answer is recorded from a running gateway. */
export type Example = {
  readonly summary: string;
  readonly parameters?: Readonly<Record<string, string | number>>;
  /** JSON, or text for `text/plain`. */
  readonly body?: unknown;
};

export type DescribedRoute = {
  readonly method: 'get' | 'post' | 'put';
  /** With its parameters in braces. */
  readonly path: string;
  readonly operation: ZodOpenApiOperationObject & { readonly operationId: string };
  /** The operation whose recorded answers are this one's too. */
  readonly answersOf?: string;
  /** By their names. */
  readonly examples?: Readonly<Record<string, Example>>;
};

/** A header of a request: any text. */
export const textHeader = (description: string) => z.string().optional().describe(description);

/** An answer with a body of one type. */
export function answerOf(description: string, schema: ZodType, headers: ZodType = plainHeaders, type = JSON_TYPE) {
  return { description, headers: headers as z.ZodObject, content: { [type]: { schema } } };
}

const JSON_TYPE = 'application/json';

/** Headers of answers that no API key is needed for, such as health: none. */
const plainHeaders = z.object({});
