/** E to H: faults inside the system, of which hardly anything shows outside. */
import { expectAnswer, expectEach } from './expect.ts';
import type { DrillLine } from './line.ts';

const ADMIN_PATHS = ['/metrics', '/debug', '/admin', '/reload', '/heapdump', '/debug/pprof/', '/log-level'];

export const INSIDE: readonly DrillLine[] = [
  { id: 'E1-E21', sends: 'faults of the model server', unseen: 'happens behind the endpoint' },
  { id: 'F1-F17', sends: 'load, memory, stop', unseen: 'a drill sends no load and stops nothing' },
  { id: 'G1-G6', sends: 'manifests, policies', unseen: 'happens inside the cluster' },
  {
    id: 'G7',
    sends: ADMIN_PATHS.join(' '),
    expects: '404',
    run: ({ endpoint }) =>
      expectEach(
        Object.fromEntries(ADMIN_PATHS.map((path) => [path, path])),
        (path) => endpoint.ask(path),
        '404',
        '401',
      ),
  },
  { id: 'G8-G16', sends: 'models, scaling, supply chain', unseen: 'happens inside the cluster' },
  { id: 'H1-H5', sends: 'logs, metrics, traces', unseen: "stands in the endpoint's logs" },
  {
    id: 'H6',
    sends: 'a wrong request; in all lines above every refusal is looked through',
    expects: 'no path, address, stack or library in it',
    run: async ({ endpoint }) => expectAnswer(await endpoint.predictJson({ url: 5 }), '400 invalid_request'),
  },
];
