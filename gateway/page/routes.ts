/** The web pages: the playground at / and the API reference at /docs. Their files need no API key; what they call does. */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import express, { type RequestHandler, type Router } from 'express';
import { healthOnly } from '../http/door.ts';
import { type PageFile, readPageFile, sendFile } from './files.ts';

const ASSETS = path.join(import.meta.dirname, 'assets');
const VIEWER = path.dirname(fileURLToPath(import.meta.resolve('swagger-ui-dist/package.json')));
const VIEWER_FILES = ['swagger-ui-bundle.js', 'swagger-ui.css'];

/** Everything comes from this origin; no page may hold it in a frame, and no form is sent. */
const POLICY = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** The viewer's style sheet has its icons in it. */
const VIEWER_POLICY = `${POLICY}; img-src 'self' data:`;

/** `policy`: in place of the one for data. */
const PAGES = [
  { route: '/', file: 'index.html', policy: POLICY },
  { route: '/docs', file: 'docs.html', policy: VIEWER_POLICY },
];

/** Creates the routes of the pages. Reads their files. */
export function pageRoutes(): Router {
  const router = express.Router();
  for (const { route, file, policy } of PAGES) {
    const page = readPageFile(path.join(ASSETS, file));
    const handler: RequestHandler = (request, response) => {
      response.setHeader('Content-Security-Policy', policy);
      return sendFile(request, response, page);
    };
    router.route(route).get(handler).all(healthOnly());
  }
  return router.use(
    filesAt([
      ...readdirSync(ASSETS).map((name) => [`/page/${name}`, readPageFile(path.join(ASSETS, name))] as const),
      ...VIEWER_FILES.map((name) => [`/page/viewer/${name}`, readPageFile(path.join(VIEWER, name))] as const),
    ]),
  );
}

/** Serves files by their paths. */
function filesAt(entries: readonly (readonly [string, PageFile])[]): RequestHandler {
  const files = new Map(entries);
  return (request, response, next) => {
    const file = ['GET', 'HEAD'].includes(request.method) ? files.get(request.path) : undefined;
    if (!file) return next();
    return sendFile(request, response, file);
  };
}
