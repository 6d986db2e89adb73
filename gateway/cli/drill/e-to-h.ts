/** E to H: faults inside the system. Few of them can be tested from outside. */

import type { Check } from './check.ts';
import { expectEach, expectResponse } from './expect.ts';

const ADMIN_PATHS = ['/metrics', '/debug', '/admin', '/reload', '/heapdump', '/debug/pprof/', '/log-level'];

export const INSIDE: readonly Check[] = [
  { id: 'E1-E21', sends: 'faults of the model server', skipReason: 'happens behind the endpoint' },
  { id: 'F1-F17', sends: 'load, memory, stop', skipReason: 'the drill sends no load and stops no process' },
  { id: 'G1-G6', sends: 'manifests, policies', skipReason: 'happens inside the cluster' },
  {
    id: 'G7',
    sends: ADMIN_PATHS.join(' '),
    expects: '404',
    run: ({ endpoint }) =>
      expectEach(
        Object.fromEntries(ADMIN_PATHS.map((path) => [path, path])),
        (path) => endpoint.send(path),
        '404',
        '401',
      ),
  },
  { id: 'G8-G16', sends: 'models, scaling, supply chain', skipReason: 'happens inside the cluster' },
  { id: 'H1-H5', sends: 'logs, metrics, traces', skipReason: "only visible in the endpoint's logs" },
  {
    id: 'H6',
    sends: 'an invalid request; all other checks look at their error responses too',
    expects: 'no path, address, stack trace or library name in the response',
    run: async ({ endpoint }) => expectResponse(await endpoint.predictJson({ url: 5 }), '400 invalid_request'),
  },
];
