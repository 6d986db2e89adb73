/** Examples of requests and answers in openapi.json. The answers were recorded from a running gateway (answers.json). */
import { readFileSync } from 'node:fs';
import type { createDocument } from 'zod-openapi';
import type { DescribedRoute, Example } from '../../http/openapi/route.ts';

export type OpenApi = ReturnType<typeof createDocument>;

/** An answer as it was recorded. `type`: its media type without parameters. */
export type Answer = { readonly status: number; readonly type: string; readonly body: unknown };

/** By the id of the operation, and by the name of the example. */
export type Answers = Readonly<Record<string, Readonly<Record<string, Answer>>>>;

export const ANSWERS = new URL('./answers.json', import.meta.url);

/** Requests that are refused with these are no examples of valid ones. Only the refusal is shown. */
const INVALID: readonly number[] = [400, 422];

type Examples = Record<string, { summary?: string; value: unknown }>;
type Media = { examples?: Examples };
type Operation = {
  parameters?: { name: string; examples?: Examples }[];
  requestBody?: { content: Record<string, Media> };
  responses: Record<string, { content: Record<string, Media> }>;
};

/** Adds the examples of the routes and their answers. A request and its
 * answer have the same name. */
export function addExamples(document: OpenApi, routes: readonly DescribedRoute[]): OpenApi {
  const answers: Answers = JSON.parse(readFileSync(ANSWERS, 'utf8'));
  for (const { path, method, operation, answersOf = operation.operationId, examples = {} } of routes) {
    const described = document.paths?.[path]?.[method] as unknown as Operation & { operationId: string };
    if (described.operationId !== operation.operationId) continue; // another route has this path
    for (const [name, example] of Object.entries(examples)) {
      const answer = answers[answersOf]?.[name];
      if (!INVALID.includes(answer?.status ?? 0)) addRequest(described, name, example);
      if (answer) addAnswer(described, name, example, answer);
    }
  }
  return document;
}

function addRequest({ parameters = [], requestBody }: Operation, name: string, example: Example): void {
  const { summary, body } = example;
  for (const parameter of parameters) {
    const value = example.parameters?.[parameter.name];
    if (value !== undefined) parameter.examples = { ...parameter.examples, [name]: { summary, value } };
  }
  const [media] = Object.values(requestBody?.content ?? {});
  if (media) media.examples = { ...media.examples, [name]: { summary, value: body } };
}

function addAnswer({ responses }: Operation, name: string, { summary }: Example, { status, type, body }: Answer): void {
  const media = responses[status]?.content[type];
  if (!media) throw new TypeError(`answers.json has an undescribed answer: ${name}, ${status} ${type}`);
  media.examples = { ...media.examples, [name]: { summary, value: body } };
}
