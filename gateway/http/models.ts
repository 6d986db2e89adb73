/** GET /models: the models that can be asked, with their classes or signature, and their versions. */
import express, { type Router } from 'express';
import type { ListedModel } from '../model/list.ts';
import { allowOnly, type Door } from './door.ts';

/** Creates the route /models. */
export function modelsRoutes(door: Door, list: () => readonly ListedModel[]): Router {
  const router = express.Router();
  router
    .route('/models')
    .get(
      door('/models', async () => ({
        status: 200,
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ models: list() }),
      })),
    )
    .all(door('/models', allowOnly('GET, HEAD')));
  return router;
}
