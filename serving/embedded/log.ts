/** The server's lines: news on stdout, troubles on stderr. */

export type Log = { info(text: string): void; error(text: string): void };

const PREFIX = '[embedded]';

/** Writes lines that tell where they come from, because they mix with those of the gateway that started this server. */
export const consoleLog: Log = {
  info: (text) => console.log(`${PREFIX} ${text}`),
  error: (text) => console.error(`${PREFIX} ${text}`),
};
