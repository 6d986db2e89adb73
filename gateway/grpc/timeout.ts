/** The time that a client allows for its call. */

/** Milliseconds of each TimeoutUnit. */
const UNITS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };

/** The milliseconds of the header grpc-timeout ("gRPC over HTTP/2", Requests). Undefined for another text. */
export function timeoutMsOf(header: string): number | undefined {
  const [, digits = '', unit = ''] = /^(\d{1,8})([HMSmun])$/.exec(header) ?? [];
  const unitMs = UNITS[unit];
  return unitMs === undefined ? undefined : Number(digits) * unitMs;
}
