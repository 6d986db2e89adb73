/** GET /openapi.json, as it describes itself. */
import { z } from 'zod';
import { doorHeaders } from './headers.ts';
import { refusals } from './refusals.ts';
import { answerOf, type DescribedRoute } from './route.ts';

const schema = z.looseObject({ openapi: z.string(), info: z.looseObject({}), paths: z.looseObject({}) });

const operation = {
  operationId: 'getDocument',
  summary: 'This document',
  tags: ['document'],
};

export function describeDocument(): DescribedRoute[] {
  const responses = { 200: answerOf('OpenAPI 3.1.', schema, doorHeaders), ...refusals([]) };
  return [{ method: 'get', path: '/openapi.json', operation: { ...operation, responses } }];
}

/** On the admin port, which has no API keys. */
export function describeAdminDocument(): DescribedRoute[] {
  const responses = { 200: answerOf('OpenAPI 3.1.', schema) };
  return [{ method: 'get', path: '/openapi.json', operation: { ...operation, responses } }];
}
