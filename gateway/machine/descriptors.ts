/** File descriptors: how many this process may have open, and what they are for. */
import { existsSync, readFileSync } from 'node:fs';
import type { Log } from '../domain/request.ts';

/** gRPC clients send all their calls over one connection. */
const MAX_GRPC_CONNECTIONS = 1024;

/** Shares of the process's limit. What is left is for the decoders, model servers, DNS, files and Node itself. */
const SHARES = { connections: 1 / 2, grpcConnections: 1 / 16, adminConnections: 1 / 16, sources: 1 / 4 };

export type DescriptorPlan = {
  /** Connections to PORT. */
  readonly maxConnections: number;
  /** Connections to GRPC_PORT, each with many calls. */
  readonly maxGrpcConnections: number;
  readonly maxAdminConnections: number;
  /** Connections to image sources. */
  readonly maxSourceSockets: number;
};

/**
 * The process's limit of open files (RLIMIT_NOFILE). Infinity where the system does not tell: it has no /proc. Node raises
 * the soft limit to the hard one when it starts.
 */
export function descriptorLimit(file = '/proc/self/limits'): number {
  const [, soft] = /^Max open files +(\d+)/m.exec(existsSync(file) ? readFileSync(file, 'utf8') : '') ?? [];
  return soft === undefined ? Number.POSITIVE_INFINITY : Number(soft);
}

/** Divides the descriptors of the process. Warns where MAX_CONNECTIONS is more than the connections' share. */
export function planDescriptors(maxConnections: number, log: Log, limit = descriptorLimit()): DescriptorPlan {
  const share = (part: number) => Math.max(1, Math.floor(limit * part));
  const held = Math.min(maxConnections, share(SHARES.connections));
  if (held < maxConnections) {
    const text = `MAX_CONNECTIONS is held at ${held}, half of the open files that this process may have (ulimit -n)`;
    log.warn({ maxConnections, openFiles: limit }, text);
  }
  return {
    maxConnections: held,
    maxGrpcConnections: Math.min(maxConnections, MAX_GRPC_CONNECTIONS, share(SHARES.grpcConnections)),
    maxAdminConnections: Math.min(maxConnections, share(SHARES.adminConnections)),
    maxSourceSockets: share(SHARES.sources),
  };
}
