/** Connections that wait to be read, by the number of answers that they got. */

/** For up to 2, 4, 8 … answers. The highest is for all with more. */
const LEVELS = 16;

/**
 * A queue in levels. They take turns, the one with more answers first: connections of a load balancer have many, those of
 * health checks none. So a connection that gets an answer first is no way past the others, and no level waits for long.
 */
export class ReadingLevels<Item> {
  readonly #levels: readonly Item[][] = Array.from({ length: LEVELS }, () => []);
  #lastTurn = 0;

  get isEmpty(): boolean {
    return this.#levels.every((level) => level.length === 0);
  }

  add(item: Item, answers: number): void {
    this.#levels[Math.min(Math.floor(Math.log2(answers + 1)), LEVELS - 1)]?.push(item);
  }

  /** Takes at most `count` of the level whose turn it is, those that came last first. None if all are empty. */
  take(count: number): Item[] {
    const isNotEmpty = (level: readonly Item[]) => level.length > 0;
    const below = this.#levels.findLastIndex((level, index) => index < this.#lastTurn && isNotEmpty(level));
    this.#lastTurn = below >= 0 ? below : this.#levels.findLastIndex(isNotEmpty);
    return this.#levels[this.#lastTurn]?.splice(-count).reverse() ?? [];
  }
}
