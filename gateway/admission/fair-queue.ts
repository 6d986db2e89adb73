/**
 * A queue that takes turns between tenants: start-time fair queueing (Goyal, Vin and Cheng, SIGCOMM 1996). Each tenant's
 * own requests stay in order; between tenants the one that was served least since it began to wait goes first. With
 * requests of one size that is round-robin, and one with large batches waits longer between two of them.
 */

export type Waiting = { readonly tenant: string; readonly lanes: number };

type Line<T> = { readonly waiting: Set<T>; lanes: number; turn: number };

/** Holds what waits. Adding, taking and removing cost the number of tenants that wait, not of requests. */
export class FairQueue<T extends Waiting> {
  readonly #lines = new Map<string, Line<T>>();
  /** The turn of whoever was served last: who comes new starts here, so that nobody saves up turns while away. */
  #now = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(item: T): void {
    const line = this.#lines.get(item.tenant) ?? { waiting: new Set(), lanes: 0, turn: this.#now };
    this.#lines.set(item.tenant, line);
    line.waiting.add(item);
    line.lanes += item.lanes;
    this.#size += 1;
  }

  get lanes(): number {
    return [...this.#lines.values()].reduce((sum, line) => sum + line.lanes, 0);
  }

  /** Whose turn it is; undefined when nobody waits. */
  next(): T | undefined {
    const [first] = this.#first()?.waiting ?? [];
    return first;
  }

  /** Takes the one whose turn it is out of the queue. */
  take(): T | undefined {
    const line = this.#first();
    const item = this.next();
    if (!line || !item) return undefined;
    this.#now = line.turn;
    line.turn += item.lanes;
    this.remove(item);
    return item;
  }

  remove(item: T): void {
    const line = this.#lines.get(item.tenant);
    if (!line?.waiting.delete(item)) return;
    line.lanes -= item.lanes;
    this.#size -= 1;
    if (line.waiting.size === 0) this.#lines.delete(item.tenant);
  }

  /** The lanes that would be served before a newcomer of this tenant: its own, and as much of each other's. */
  ahead({ tenant, lanes }: Waiting): number {
    const own = this.#lines.get(tenant)?.lanes ?? 0;
    const others = [...this.#lines].map(([name, line]) => (name === tenant ? 0 : Math.min(line.lanes, own + lanes)));
    return others.reduce((sum, each) => sum + each, own);
  }

  /** Who has to go so that a newcomer fits: the newest of the tenant with most in the queue; undefined for the newcomer. */
  loser(newcomer: Waiting): T | undefined {
    const own = (this.#lines.get(newcomer.tenant)?.lanes ?? 0) + newcomer.lanes;
    const longest = [...this.#lines.values()].reduce((one, other) => (other.lanes > one.lanes ? other : one), {
      waiting: new Set<T>(),
      lanes: 0,
    });
    return longest.lanes > own ? [...longest.waiting].at(-1) : undefined;
  }

  #first(): Line<T> | undefined {
    let first: Line<T> | undefined;
    for (const line of this.#lines.values()) if (!first || line.turn < first.turn) first = line;
    return first;
  }
}
