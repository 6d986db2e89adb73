/** All memory of a picture is one stack, which each picture begins anew: nothing is ever freed. */
export class Arena {
  static end: usize = 0;
}

const PAGE: usize = 65536;
const LINE: usize = 64;
/** Addresses stay far below 2^32, so that no sum of an address and a length wraps round. */
const MOST: u64 = 0xc000_0000;

export function start(): void {
  Arena.end = (__heap_base + LINE - 1) & ~(LINE - 1);
}

/** Reserves bytes that begin at a cache line, and grows the memory to them. Returns 0 if there is no memory. */
export function take(bytes: u64): usize {
  const at = Arena.end;
  const end = (<u64>at + bytes + LINE - 1) & ~(<u64>LINE - 1);
  if (end > MOST) return 0;
  const missing = <i32>((<usize>end + PAGE - 1) / PAGE) - memory.size();
  if (missing > 0 && memory.grow(missing) < 0) return 0;
  Arena.end = <usize>end;
  return at;
}
