/**
 * OpenTelemetry's own variables, as far as its packages do not read them:
 * https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/.
 */

import { SAMPLERS, TRACE_PROTOCOLS, type TraceExport } from '../domain/trace-export.ts';

export type ReadTraces = {
  /** Undefined where the variables ask for no export. */
  readonly traces: TraceExport | undefined;
  /** A line for each value that has no effect. The specification wants a warning and the default, not an end. */
  readonly mistakes: readonly string[];
};

/**
 * Reads them. Traces are exported where an endpoint of OTLP is set, or `OTEL_TRACES_EXPORTER=otlp`. An empty value counts as unset.
 */
export function traceVariables(env: NodeJS.ProcessEnv): ReadTraces {
  const mistakes: string[] = [];
  const read = new Reader(env, mistakes);
  if (read.text('OTEL_SDK_DISABLED')?.toLowerCase() === 'true' || !isAsked(read))
    return { traces: undefined, mistakes };
  const sampler = read.oneOf('OTEL_TRACES_SAMPLER', SAMPLERS) ?? 'parentbased_always_on';
  const traces = {
    protocol:
      read.oneOf('OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', TRACE_PROTOCOLS) ??
      read.oneOf('OTEL_EXPORTER_OTLP_PROTOCOL', TRACE_PROTOCOLS) ??
      'http/protobuf',
    sampler,
    ratio: sampler.endsWith('traceidratio') ? (read.number('OTEL_TRACES_SAMPLER_ARG', 0, 1) ?? 1) : 1,
    maxQueued: read.number('OTEL_BSP_MAX_QUEUE_SIZE', 1, 1e6) ?? 2048,
    maxBatch: read.number('OTEL_BSP_MAX_EXPORT_BATCH_SIZE', 1, 1e6) ?? 512,
    delayMs: read.number('OTEL_BSP_SCHEDULE_DELAY', 1, 1e9) ?? 5000,
    exportTimeoutMs: read.number('OTEL_BSP_EXPORT_TIMEOUT', 1, 1e9) ?? 30_000,
  };
  return { traces, mistakes };
}

function isAsked(read: Reader): boolean {
  const exporters = read
    .text('OTEL_TRACES_EXPORTER')
    ?.split(',')
    .map((name) => name.trim());
  if (!exporters) return ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'].some(read.text);
  for (const name of exporters)
    if (name !== 'otlp' && name !== 'none') read.refuse('OTEL_TRACES_EXPORTER', 'otlp or none');
  return exporters.includes('otlp');
}

class Reader {
  readonly #env: NodeJS.ProcessEnv;
  readonly #mistakes: string[];

  constructor(env: NodeJS.ProcessEnv, mistakes: string[]) {
    this.#env = env;
    this.#mistakes = mistakes;
  }

  readonly text = (name: string): string | undefined => this.#env[name]?.trim() || undefined;

  oneOf<Value extends string>(name: string, values: readonly Value[]): Value | undefined {
    const text = this.text(name);
    const value = values.find((allowed) => allowed === text);
    if (text !== undefined && value === undefined) this.refuse(name, values.join(', '));
    return value;
  }

  number(name: string, least: number, most: number): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (value >= least && value <= most) return value;
    this.refuse(name, `a number from ${least} to ${most}`);
    return undefined;
  }

  refuse(name: string, needs: string): void {
    this.#mistakes.push(`${name}=${this.text(name)} has no effect: needs ${needs}`);
  }
}
