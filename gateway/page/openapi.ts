/** The web pages as openapi.json describes them. */
import { z } from 'zod';
import { answerOf, type DescribedRoute } from '../http/openapi/route.ts';

const PAGES = [
  { path: '/', operationId: 'getPlayground', summary: 'A page to try the models in a browser' },
  { path: '/docs', operationId: 'getReference', summary: 'This document as a page' },
];

/** The pages, which need no API key. */
export function describePages(): DescribedRoute[] {
  return PAGES.map(({ path, ...about }) => ({
    method: 'get',
    path,
    operation: {
      ...about,
      tags: ['pages'],
      security: [],
      responses: { 200: answerOf('The page.', z.string(), z.object({}), 'text/html') },
    },
  }));
}
