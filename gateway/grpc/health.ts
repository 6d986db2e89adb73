/** grpc.health.v1.Health, as Kubernetes' probes and load balancers ask it (gRPC, "Health Checking Protocol"). */
import { bytesOf } from '../domain/roomy-message.ts';
import { GatewayError } from '../errors.ts';
import type { Methods, OpenMethod } from './method.ts';

/** HealthCheckResponse with the status SERVING or NOT_SERVING. */
const SERVING = Uint8Array.of(0x08, 1);
const NOT_SERVING = Uint8Array.of(0x08, 2);
/** The tag of HealthCheckRequest's field `service`. */
const SERVICE = 0x0a;

/** Creates the method Check. `services`: their full names; the empty name stands for all of them. */
export function healthMethods(services: readonly string[], isReady: () => boolean): Methods<OpenMethod> {
  return {
    '/grpc.health.v1.Health/Check': async (call) => {
      const asked = serviceIn(bytesOf(await call.message()));
      if (asked !== '' && !services.includes(asked)) {
        throw new GatewayError('model_not_found', `service: there is no ${asked.slice(0, 80)} here.`);
      }
      return [isReady() ? SERVING : NOT_SERVING];
    },
  };
}

/** The service's name. Throws `invalid_request` for other bytes: no name here is longer than a length of one byte allows. */
function serviceIn(message: Uint8Array): string {
  if (message.length === 0) return '';
  if (message[0] === SERVICE && message[1] === message.length - 2) return Buffer.from(message.subarray(2)).toString();
  throw new GatewayError('invalid_request', 'The message is not a HealthCheckRequest.');
}
