/**
 * Records the answers to the examples of openapi.json (`make docs`). They come from a gateway with the committed models and
 * the embedded model server.
 */
import { writeFile } from 'node:fs/promises';
import type { DescribedRoute, Example } from '../../gateway/http/openapi/route.ts';
import { routesOfAdminPort, routesOfService } from '../../gateway/wiring/openapi/document.ts';
import { ANSWERS, type Answer, type Answers } from '../../gateway/wiring/openapi/examples.ts';
import { type RunningGateway, startGateway } from '../gateway.ts';

/** The settings of the gateway. */
export const SETTINGS = { READY_WHEN: 'all', PREDICTION_LOG: 'stdout' };

/** Sends every example, and returns the answers by operation and example. */
export async function recordAnswers({ url, adminUrl }: RunningGateway): Promise<Answers> {
  const service = await recordRoutes(url, routesOfService({ maxInstances: 64, playground: true }));
  return { ...service, ...(await recordRoutes(adminUrl, routesOfAdminPort())) };
}

async function recordRoutes(url: string, routes: readonly DescribedRoute[]): Promise<Answers> {
  const recorded: Record<string, Record<string, Answer>> = {};
  for (const route of routes) {
    const { operation, answersOf = operation.operationId, examples = {} } = route;
    if (answersOf !== operation.operationId) continue;
    const answers: Record<string, Answer> = {};
    for (const [name, example] of Object.entries(examples)) answers[name] = await send(url, route, example);
    if (Object.keys(answers).length > 0) recorded[answersOf] = answers;
  }
  return recorded;
}

/** Sends the request of an example as a client makes it from the document. */
export async function send(url: string, route: DescribedRoute, example: Example): Promise<Answer> {
  const { method, operation } = route;
  const [type = ''] = Object.keys(operation.requestBody?.content ?? {});
  const isText = type === 'text/plain';
  const target = new URL(`${url}${pathOf(route, example)}`);
  for (const [name, value] of valuesIn('query', route, example)) target.searchParams.set(name, value);
  const response = await fetch(target, {
    method: method.toUpperCase(),
    headers: {
      // Problems have the ids of their request.
      'X-Request-Id': 'example',
      traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00',
      ...Object.fromEntries(valuesIn('header', route, example)),
      ...(type && { 'Content-Type': type }),
    },
    ...(type && { body: isText ? String(example.body) : JSON.stringify(example.body) }),
  });
  const [answered = ''] = (response.headers.get('content-type') ?? '').split(';');
  const text = await response.text();
  return { status: response.status, type: answered, body: answered.endsWith('json') ? JSON.parse(text) : steady(text) };
}

/** The path with the values of its parameters. */
export function pathOf(route: DescribedRoute, example: Example): string {
  return valuesIn('path', route, example).reduce(
    (path, [name, value]) => path.replace(`{${name}}`, encodeURIComponent(value)),
    route.path,
  );
}

function valuesIn(
  place: 'path' | 'query' | 'header',
  { operation }: DescribedRoute,
  { parameters = {} }: Example,
): [name: string, value: string][] {
  const { shape = {} } = (operation.requestParams?.[place] ?? {}) as { readonly shape?: object };
  return Object.entries(parameters).flatMap(([name, value]) => (name in shape ? [[name, String(value)]] : []));
}

/** Of metrics, those that are the same in every gateway without load. */
function steady(text: string): string {
  const families = text
    .split('\n\n')
    .filter((family) => /^# HELP tensorgate_(?:requests_(?:in_flight|queued)|images_busy)\b/.test(family));
  return `${families.join('\n\n')}\n`;
}

if (import.meta.main) {
  const gateway = await startGateway(SETTINGS);
  await gateway.ready();
  await writeFile(ANSWERS, `${JSON.stringify(await recordAnswers(gateway), null, 2)}\n`);
  await gateway.stop();
}
