/** The server's log: information on stdout, errors on stderr. */

export type Log = { info(text: string): void; error(text: string): void };

const PREFIX = '[embedded]';

/** Prefixes each line, because the output is mixed with that of the gateway that started this server. */
export const consoleLog: Log = {
  info: (text) => console.log(`${PREFIX} ${text}`),
  error: (text) => console.error(`${PREFIX} ${text}`),
};
