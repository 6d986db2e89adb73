/** The log: one JSON object a line on stdout, each with its time, level and, inside a request, the request's id. */
import { type DestinationStream, type Logger, pino, stdSerializers } from 'pino';

/** Makes the logger, which writes each line to the destination as it comes. */
export function createLog(level: string, destination: DestinationStream): Logger {
  const options = {
    level,
    base: null,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { cause: stdSerializers.err },
  };
  return pino(options, destination);
}
