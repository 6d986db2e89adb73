/** The web pages: the playground at / and the API reference at /docs. Their files need no API key; what they call does. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import express, { type RequestHandler, type Response, type Router } from 'express';
import { healthOnly } from '../http/door.ts';

const ASSETS = path.join(import.meta.dirname, 'assets');
const VIEWER = path.dirname(fileURLToPath(import.meta.resolve('swagger-ui-dist/package.json')));
const VIEWER_FILES = ['swagger-ui-bundle.js', 'swagger-ui.css'];

/** Everything comes from this origin; no page may hold it in a frame, and no form is sent. */
const POLICY = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** The viewer's style sheet has its icons in it. */
const VIEWER_POLICY = `${POLICY}; img-src 'self' data:`;

const assets = files(ASSETS);

/** Creates the routes of the pages. */
export function pageRoutes(): Router {
  const router = express.Router();
  router.route('/').get(page('index.html', POLICY)).all(healthOnly());
  router.route('/docs').get(page('docs.html', VIEWER_POLICY)).all(healthOnly());
  router.use('/page', assets);
  for (const file of VIEWER_FILES) router.use(`/page/viewer/${file}`, files(path.join(VIEWER, file)));
  return router;
}

/** A page with its own policy, in place of the one for data. */
function page(name: string, policy: string): RequestHandler {
  return (request, response, next) => {
    response.setHeader('Content-Security-Policy', policy);
    request.url = `/${name}`;
    assets(request, response, next);
  };
}

/** Files below a folder. Browsers ask each time whether one has changed: a new gateway may have others. */
function files(folder: string): RequestHandler {
  const setHeaders = (response: Response) => response.setHeader('Cache-Control', 'no-cache');
  return express.static(folder, { index: false, redirect: false, setHeaders });
}
