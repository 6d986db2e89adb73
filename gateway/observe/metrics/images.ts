/** Metrics of images: their outcomes, bytes and decoders, and the threads and processes lost. */
import { Counter, type Registry } from 'prom-client';

/** Registers them. */
export function imageMetrics(registry: Registry) {
  const registers = [registry];
  return {
    instances: new Counter({
      name: 'tensorgate_instances_total',
      help: 'Images by error kind ("none": scored).',
      labelNames: ['kind'] as const,
      registers,
    }),
    bytes: new Counter({
      name: 'tensorgate_bytes_total',
      help: 'Bytes of encoded images read (of="image") and of tensors sent (of="tensor").',
      labelNames: ['of'] as const,
      registers,
    }),
    decoderLosses: new Counter({
      name: 'tensorgate_decoder_losses_total',
      help: 'Decoder threads and processes that crashed or were killed at DECODE_TIMEOUT while decoding an image.',
      labelNames: ['why'] as const,
      registers,
    }),
    decoded: new Counter({
      name: 'tensorgate_decoded_total',
      help: 'Images decoded by the gateway itself (decoder="jpeg") and by sharp in a process (decoder="sharp").',
      labelNames: ['decoder'] as const,
      registers,
    }),
  };
}
