/** Watches how full the memory is: first connections are closed after their answer, then new requests are refused. */
import { getHeapStatistics } from 'node:v8';
import { GatewayError } from '../errors.ts';

const INTERVAL_MS = 250;
/** Above `from` the state begins, below `until` it ends: between the two it stays, so that it does not flutter. */
const HIGH = { from: 0.92, until: 0.9 };
const FULL = { from: 0.95, until: 0.92 };
/** V8 counts up to three young spaces of a 32nd of the old one each into its limit, but fails where the old one is full. */
const OLD_SHARE = 32 / 35;

/** How much of the memory is in use, as a share of what there is. */
export type ReadMemory = () => number;

/** `high`: keep-alive is off. `full`: no new requests. */
export type MemoryState = 'ok' | 'high' | 'full';

export type MemoryWatch = {
  readonly state: MemoryState;
  /** The share in use at the last reading. */
  readonly share: number;
  /** Throws `overloaded` (503, for everybody) while the memory is full. */
  check(): void;
  close(): void;
};

/**
 * Bytes that the process may use: its container's limit (cgroup v1 or v2); undefined where there is none, which Node
 * tells as more than the machine has.
 */
export function memoryLimitBytes(machineBytes: number): number | undefined {
  const limitBytes = process.constrainedMemory();
  return limitBytes > 0 && limitBytes <= machineBytes ? limitBytes : undefined;
}

/** Reads the process: its resident memory against `limitBytes`, its heap against V8's; the fuller one counts. */
export function readProcessMemory(limitBytes: number | undefined): number {
  const { used_heap_size, heap_size_limit } = getHeapStatistics();
  const heapShare = used_heap_size / (heap_size_limit * OLD_SHARE);
  return Math.max(heapShare, limitBytes === undefined ? 0 : process.memoryUsage.rss() / limitBytes);
}

/** Starts the watch. It reads by a timer, never for a request, and its timer keeps no process alive. */
export function watchMemory(read: ReadMemory, onChange: (state: MemoryState, share: number) => void): MemoryWatch {
  let state: MemoryState = 'ok';
  let share = read();
  function look(): void {
    share = read();
    const next = nextState(state, share);
    if (next === state) return;
    state = next;
    onChange(state, share);
  }
  look();
  const timer = setInterval(look, INTERVAL_MS).unref();
  return {
    get state() {
      return state;
    },
    get share() {
      return share;
    },
    check() {
      if (state !== 'full') return;
      const detail = 'The gateway is short of memory at the moment; try again later.';
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
