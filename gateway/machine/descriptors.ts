/** File descriptors: how many this process may have open, and what they are for. */
import { existsSync, readFileSync } from 'node:fs';
import type { Log } from '../domain/request.ts';
import { spareConnections } from '../domain/spare-connections.ts';

/** Connections to image sources. Each may have the head of an answer in memory; more downloads wait, which costs less. */
export const MAX_SOURCE_CONNECTIONS = 256;

/** gRPC clients send all their calls over one connection. */
const MAX_GRPC_CONNECTIONS = 1024;

/**
 * What the process has open without any client: Node, its ports and watches, the log, the thread for JSON, a model server. Measured:
 * 33 and 9 for each of DECODERS, and a few more while a thread or a process starts.
 */
const OWN = 40;
const OWN_OF_DECODER = 10;
/** With less than these besides, there is no room for a dozen clients. */
const LEAST_ROOM = 32;

/** Shares of the rest of the process's limit. What is left is for further model servers, DNS and files. */
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

export type DescriptorSettings = { readonly maxConnections: number; readonly decoders: number };

/**
 * Divides the descriptors of the process. Warns where MAX_CONNECTIONS is more than the connections' share. Throws where the limit is
 * too low to serve anybody.
 */
export function planDescriptors(
  { maxConnections, decoders }: DescriptorSettings,
  log: Log,
  limit = descriptorLimit(),
): DescriptorPlan {
  const own = OWN + decoders * OWN_OF_DECODER;
  if (limit < own + LEAST_ROOM) {
    const needs = `the gateway needs at least ${own + LEAST_ROOM} with DECODERS=${decoders}`;
    throw new Error(`ulimit -n: ${limit} open files are too few; ${needs}`);
  }
  const share = (part: number) => Math.max(1, Math.floor((limit - own) * part));
  /** Of a server: what is open at most includes the spare connections. */
  const held = (part: number) => share(part) - spareConnections(share(part) - 1);
  const connections = Math.min(maxConnections, held(SHARES.connections));
  if (connections < maxConnections) {
    const text = `MAX_CONNECTIONS is held at ${connections}, because this process may have few open files (ulimit -n)`;
    log.warn({ maxConnections, openFiles: limit }, text);
  }
  return {
    maxConnections: connections,
    maxGrpcConnections: Math.min(maxConnections, MAX_GRPC_CONNECTIONS, held(SHARES.grpcConnections)),
    maxAdminConnections: Math.min(maxConnections, held(SHARES.adminConnections)),
    maxSourceSockets: Math.min(MAX_SOURCE_CONNECTIONS, share(SHARES.sources)),
  };
}
