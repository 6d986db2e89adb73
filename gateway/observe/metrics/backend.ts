/** Metrics of calls to the model servers. */
import { Counter, type Registry } from 'prom-client';

/** Registers them. */
export function backendMetrics(registry: Registry) {
  const registers = [registry];
  return {
    backendCalls: new Counter({
      name: 'tensorgate_backend_calls_total',
      help: 'RPCs to the model servers by method and gRPC status code.',
      labelNames: ['method', 'code'] as const,
      registers,
    }),
    backendExtraAttempts: new Counter({
      name: 'tensorgate_backend_extra_attempts_total',
      help: 'Extra attempts by reason: refused (server full), unavailable (not reachable), hedge (late response).',
      labelNames: ['reason'] as const,
      registers,
    }),
  };
}
