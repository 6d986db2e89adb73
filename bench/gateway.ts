/** Starts the gateway for benchmarks: with the settings of its image, on loopback and free ports. */
import { IMAGE_ENV, MAIN } from '../tests/gateway.ts';
import { start } from './load.ts';

/** A command line and its environment variables. */
export type Command = { readonly args: readonly string[]; readonly env: Readonly<Record<string, string>> };

export const GATEWAY: Command = {
  args: [process.execPath, MAIN, 'serve'],
  env: { ...IMAGE_ENV, HOST: '127.0.0.1', PORT: '0', ADMIN_PORT: '0' },
};

/**
 * Starts a gateway with further settings. Resolves when it listens.
 * @param aside a command prefix that pins the gateway to its own cores; see moveAside
 */
export function startGateway(settings: Readonly<Record<string, string>>, aside: readonly string[] = []) {
  const [command = '', ...args] = [...aside, ...GATEWAY.args];
  return start(command, args, { ...GATEWAY.env, ...settings });
}
