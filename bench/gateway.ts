/** The gateway as the benchmarks start it: as its image does, on loopback, on free ports. */
import { IMAGE_ENV, MAIN } from '../tests/gateway.ts';
import { start } from './load.ts';

/** How a gateway is started. */
export type Command = { readonly args: readonly string[]; readonly env: Readonly<Record<string, string>> };

export const GATEWAY: Command = {
  args: [process.execPath, MAIN, 'serve'],
  env: { ...IMAGE_ENV, HOST: '127.0.0.1', PORT: '0', ADMIN_PORT: '0' },
};

/**
 * Starts one with further settings, and resolves once it listens.
 * @param aside the words before a command that put it on its own cores; see moveAside
 */
export function startGateway(settings: Readonly<Record<string, string>>, aside: readonly string[] = []) {
  const [command = '', ...args] = [...aside, ...GATEWAY.args];
  return start(command, args, { ...GATEWAY.env, ...settings });
}
