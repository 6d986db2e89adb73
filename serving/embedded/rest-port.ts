/** The port of --rest_api_port. It answers one path, TF-Serving's metrics, which probes and Prometheus ask. */

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { RequestCounts } from './request-counts.ts';
import { invalidArgument } from './status.ts';

/** The path in serving/monitoring.config. */
const METRICS_PATH = '/monitoring/prometheus/metrics';

/** Opens the port and returns its address. @throws StatusError INVALID_ARGUMENT if it cannot be opened */
export async function listenForMetrics(host: string, port: number, counts: RequestCounts): Promise<string> {
  const server = createServer((request, response) => {
    const isMetrics = request.method === 'GET' && request.url === METRICS_PATH;
    response.writeHead(isMetrics ? 200 : 404, { 'content-type': 'text/plain; version=0.0.4' });
    response.end(isMetrics ? `${counts}` : '');
  });
  server.listen(port, host);
  await once(server, 'listening').catch((error: Error) => {
    throw invalidArgument(`Failed to start HTTP server: ${error.message}`);
  });
  // It does not keep the process running, and ends with it.
  server.unref();
  return `${host}:${(server.address() as AddressInfo).port}`;
}
