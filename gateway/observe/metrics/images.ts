/** Metrics of images: their outcomes, bytes, and the decoder processes lost. */
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
      help: 'Decoder processes that crashed or were killed at DECODE_TIMEOUT while decoding an image.',
      labelNames: ['why'] as const,
      registers,
    }),
  };
}
