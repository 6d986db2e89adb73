/** GET /openapi.json: the routes of this gateway, for people and programs that call it. */
import express, { type Router } from 'express';
import { allowOnly, type Door } from './door.ts';

/** Creates the route /openapi.json. */
export function documentRoutes(door: Door, document: object): Router {
  // As bytes: all clients that do not take it share one copy.
  const body = Buffer.from(JSON.stringify(document));
  const answer = { status: 200, headers: { 'Content-Type': 'application/json' }, body };
  const router = express.Router();
  router
    .route('/openapi.json')
    .get(door('/openapi.json', async () => answer))
    .all(door('/openapi.json', allowOnly('GET, HEAD')));
  return router;
}
