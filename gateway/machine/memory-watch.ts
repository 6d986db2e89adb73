/** Watches the memory in use. Above a first level keep-alive ends, above a second one new requests are refused. */
import { getHeapStatistics } from 'node:v8';
import { GatewayError } from '../errors.ts';

const INTERVAL_MS = 250;
/** A state begins above `from` and ends at `until` or below. The gap keeps it from switching back and forth. */
const HIGH = { from: 0.92, until: 0.9 };
const FULL = { from: 0.95, until: 0.92 };
/**
 * V8's heap limit includes up to three young spaces of 1/32 of the old space each. V8 fails when the old space is full.
 */
const OLD_SHARE = 32 / 35;

/** Returns the memory in use as a share of its limit. Throws if the process has no descriptor left to read it. */
export type ReadMemory = () => number;

/** `high`: keep-alive is off. `full`: new requests are refused. */
export type MemoryState = 'ok' | 'high' | 'full';

export type MemoryWatch = {
  readonly state: MemoryState;
  /** The share of the memory in use at the last reading. */
  readonly share: number;
  /** Throws `overloaded` (503, for all clients) while the memory is full. */
  check(): void;
  close(): void;
};

/**
 * The container's memory limit in bytes (cgroup v1 or v2). Undefined without a limit: Node then returns 0 or more than
 * the machine has.
 */
export function memoryLimitBytes(machineBytes: number): number | undefined {
  const limitBytes = process.constrainedMemory();
  return limitBytes > 0 && limitBytes <= machineBytes ? limitBytes : undefined;
}

/** The higher of two shares: resident memory of `limitBytes`, and heap of V8's limit. */
export function readProcessMemory(limitBytes: number | undefined): number {
  const { used_heap_size, heap_size_limit } = getHeapStatistics();
  const heapShare = used_heap_size / (heap_size_limit * OLD_SHARE);
  return Math.max(heapShare, limitBytes === undefined ? 0 : process.memoryUsage.rss() / limitBytes);
}

/**
 * Starts the watch. It reads every 250 ms, never per request. While it cannot read, the last reading stays. Its timer does
 * not keep the process alive.
 */
export function watchMemory(read: ReadMemory, onChange: (state: MemoryState, share: number) => void): MemoryWatch {
  let state: MemoryState = 'ok';
  let share = 0;
  function update(): void {
    try {
      share = read();
    } catch {
      return;
    }
    const next = nextState(state, share);
    if (next === state) return;
    state = next;
    onChange(state, share);
  }
  update();
  const timer = setInterval(update, INTERVAL_MS).unref();
  return {
    get state() {
      return state;
    },
    get share() {
      return share;
    },
    check() {
      if (state !== 'full') return;
      const detail = 'The gateway is short of memory; try again later.';
      throw new GatewayError('overloaded', detail, { isUnavailable: true });
    },
    close: () => clearInterval(timer),
  };
}

/** The state after a reading. */
export function nextState(state: MemoryState, share: number): MemoryState {
  if (share > (state === 'full' ? FULL.until : FULL.from)) return 'full';
  return share > (state === 'ok' ? HIGH.from : HIGH.until) ? 'high' : 'ok';
}
