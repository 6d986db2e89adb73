/** Values that several fields of model.yaml have. */
import { z } from 'zod';
import { BACKEND_PROTOCOLS } from '../domain/own-limits.ts';

export const text = z.string().min(1);

/** `host:port`, `dns:///name:port` or `unix:/path`, several by comma, as in TF_SERVING_HOST. */
const servers = z.string().refine((given) => given.split(',').every((one) => SERVER.test(one.trim())));
const SERVER =
  /^(unix:.+|(dns:(\/\/\/)?)?(\[[\da-f:.]+\]|[^\s:/[\]]+):([1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d{2}|655[0-2]\d|6553[0-5]))$/i;
export const backend = z.strictObject({ host: servers, protocol: z.enum(BACKEND_PROTOCOLS).default('tf-serving') });

/** Milliseconds: "500ms", "20s" or "2m". */
export const timeout = z
  .string()
  .regex(/^[1-9]\d{0,5}(ms|s|m)$/)
  .transform((text) => Number.parseInt(text, 10) * (text.endsWith('ms') ? 1 : text.endsWith('s') ? 1000 : 60_000));
