/** What a model may have for itself, so that it neither slows down nor stops the others. */

/** The protocols of model servers. */
export const BACKEND_PROTOCOLS = ['tf-serving', 'open-inference'] as const;

export type BackendProtocol = (typeof BACKEND_PROTOCOLS)[number];

export type OwnBackend = {
  /** In the form of TF_SERVING_HOST. */
  readonly host: string;
  readonly protocol: BackendProtocol;
};

export type OwnLimits = {
  /** Its model servers. Unset: those of TF_SERVING_HOST, or the embedded one. */
  readonly backend?: OwnBackend;
  /** The deadline of its requests, where it is before REQUEST_TIMEOUT. */
  readonly timeoutMs?: number;
  /** Images or requests of records at once, beside MAX_IN_FLIGHT, which its requests do not count for. */
  readonly maxInFlight?: number;
};
