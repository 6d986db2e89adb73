/** What applications without the door answer where no route does: small JSON, without stacks and paths. */
import type { ErrorRequestHandler, Express, RequestHandler } from 'express';
import { http } from '../domain/node-http.ts';
import type { Log } from '../domain/request.ts';

/** `detail`: what is wrong, where the status does not say it all. */
export type PlainError = { readonly status?: number; readonly detail?: string };

/** Adds the last handlers: 405 for other methods of these paths, 404 for other paths, and the rendering of errors. */
export function addPlainErrors(app: Express, allowed: Readonly<Record<string, readonly string[]>>, log: Log): void {
  for (const [methods, paths] of Object.entries(allowed)) app.all([...paths], allowOnly(methods));
  app.use(noSuchRoute, withoutStack(log));
}

function allowOnly(methods: string): RequestHandler {
  return (_request, response, next) => {
    response.setHeader('Allow', methods);
    next({ status: 405 });
  };
}

const noSuchRoute: RequestHandler = (_request, _response, next) => next({ status: 404 });

/** Renders errors without their stack. Express's default handler sends the stack, with paths of this machine. */
function withoutStack(log: Log): ErrorRequestHandler {
  return (error: PlainError, request, response, _next) => {
    const { status = 500, detail = http.STATUS_CODES[status] } = error;
    if (status >= 500) log.error({ cause: error, path: request.path }, 'a request failed');
    response.status(status).json({ status, detail });
  };
}
