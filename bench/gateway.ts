/** Starts the gateway for benchmarks: with the settings of its image, on loopback and free ports. */
import { fileURLToPath } from 'node:url';
import { IMAGE_ENV, MAIN } from '../tests/gateway.ts';
import { start } from './load.ts';

/** A command line and its environment variables. */
export type Command = { readonly args: readonly string[]; readonly env: Readonly<Record<string, string>> };

/** As in the image. */
const NODE_COMPILE_CACHE = fileURLToPath(new URL('../node_modules/.cache/compiled', import.meta.url));

export const GATEWAY: Command = {
  args: [process.execPath, MAIN, 'serve'],
  env: { ...IMAGE_ENV, NODE_COMPILE_CACHE, HOST: '127.0.0.1', PORT: '0', ADMIN_PORT: '0' },
};

/**
 * Starts a gateway with further settings. Resolves when it listens.
 * @param aside a command prefix that pins the gateway to its own cores; see moveAside
 */
export function startGateway(settings: Readonly<Record<string, string>>, aside: readonly string[] = []) {
  const [command = '', ...args] = [...aside, ...GATEWAY.args];
  return start(command, args, { ...GATEWAY.env, ...settings });
}
