/** The log: one JSON object a line on stdout, each with its time, level and, inside a request, the request's id. */
import { type DestinationStream, type Logger, pino, stdSerializers } from 'pino';

/** Makes the logger. `destination` is for tests; stdout otherwise, written at once so that nothing is lost at exit. */
export function createLog(level: string, destination?: DestinationStream): Logger {
  const options = {
    level,
    base: null,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { cause: stdSerializers.err },
  };
  return destination ? pino(options, destination) : pino(options);
}
