/**
 * Shapley values by sampled permutations: Strumbelj and Kononenko, Explaining prediction models and individual predictions with feature
 * contributions, 2014. Each permutation is used forwards and backwards (antithetic pairs: Mitchell et al., Sampling Permutations
 * for Shapley Value Estimation, 2022).
 */
import { createRandom } from '../domain/random.ts';

/**
 * A game: players are parts of an input, and a coalition is the input with those parts, and the others from one of the baseline's
 * instances.
 */
export type Game = {
  readonly players: number;
  /** The instances of the baseline. */
  readonly backgrounds: number;
  /**
   * The scores of `count` coalitions with the instance `from(index)` of the baseline. Batches may be of any size.
   */
  scores(
    count: number,
    from: (index: number) => number,
    has: (index: number, player: number) => boolean,
  ): Promise<Float64Array>;
};

export type Sampling = {
  readonly seed: number;
  /** The most pairs. */
  readonly pairs: number;
  /** Ends when all standard errors are below this share of the largest attribution. */
  readonly error: number;
  /** Whether so many more scores may be asked for. */
  readonly hasRoom: (calls: number) => boolean;
};

export type Sampled = {
  readonly values: Float64Array;
  /** The standard error of each value. Undefined for one pair, which says nothing of it. */
  readonly errors: Float64Array | undefined;
  readonly score: number;
  /** The mean over the instances of the baseline that were drawn, each as often as it was. */
  readonly baselineScore: number;
  readonly pairs: number;
};

/** Below so many pairs the standard error itself is too uncertain to stop by. */
const LEAST_PAIRS = 16;
/** Coalitions that are asked for together. The model gets them in smaller batches where it is slow. */
const CALLS_AT_ONCE = 256;

/** The calls of the first pair: the whole input, an instance of the baseline, and the coalitions between them. */
export function leastCalls(players: number): number {
  return 2 + callsOfPair(players);
}

function callsOfPair(players: number): number {
  return 2 * (players - 1);
}

/**
 * Samples pairs until the error is small enough or there is no room. The instances of the baseline are drawn in rounds, each once
 * in a round; where there is room for whole rounds, only whole ones are taken. The values add up to `score - baselineScore`.
 */
export async function samplePermutations(game: Game, sampling: Sampling): Promise<Sampled> {
  const random = createRandom(sampling.seed);
  const [score = Number.NaN] = await game.scores(
    1,
    () => 0,
    () => true,
  );
  const moments = new Moments(game.players);
  const empty = new EmptyScores(game);
  const round: number[] = [];
  let emptySum = 0;
  for (;;) {
    if (round.length === 0) {
      if (moments.count > 0 && isEnough(game, sampling, moments)) break;
      round.push(...shuffled(game.backgrounds, random));
    }
    const count = groupSize(game, sampling, { left: round.length, done: moments.count });
    if (count === 0) break;
    const backgrounds = round.splice(0, count);
    const pairs = Array.from({ length: count }, (_, index) => ({
      background: backgrounds[index] ?? 0,
      order: shuffled(game.players, random),
    }));
    const nones = await empty.of(pairs.map(({ background }) => background));
    for (const added of await pairsOf(game, { pairs, nones, score })) moments.add(added);
    emptySum += nones.reduce((sum, none) => sum + none, 0);
  }
  return { ...moments.result(), score, baselineScore: emptySum / moments.count, pairs: moments.count };
}

/** Whether no further round is worth it, or a whole one does not fit. */
function isEnough({ players, backgrounds }: Game, { pairs, error, hasRoom }: Sampling, moments: Moments): boolean {
  return moments.count >= pairs || moments.isBelow(error) || !hasRoom(backgrounds * callsOfPair(players));
}

/** The pairs that are scored together: as many as fit. At least one of the first, so that there is an answer. */
function groupSize(
  { players, backgrounds }: Game,
  { pairs, hasRoom }: Sampling,
  { left, done }: { readonly left: number; readonly done: number },
): number {
  const most = Math.max(1, Math.floor(CALLS_AT_ONCE / callsOfPair(players)));
  // One instance of the baseline makes a round of one pair. Several such rounds may go together.
  let count = Math.min(most, pairs - done, backgrounds === 1 ? Math.max(1, Math.min(done, LEAST_PAIRS)) : left);
  while (count > 0 && !hasRoom(count * (callsOfPair(players) + 1))) count = Math.floor(count / 2);
  return done === 0 ? Math.max(1, count) : count;
}

/** The scores of the instances of the baseline, each asked for once. */
class EmptyScores {
  readonly #game: Game;
  readonly #known = new Map<number, number>();

  constructor(game: Game) {
    this.#game = game;
  }

  async of(backgrounds: readonly number[]): Promise<number[]> {
    const asked = [...new Set(backgrounds)].filter((one) => !this.#known.has(one));
    if (asked.length > 0) {
      const scores = await this.#game.scores(
        asked.length,
        (index) => asked[index] ?? 0,
        () => false,
      );
      for (const [index, background] of asked.entries()) this.#known.set(background, scores[index] ?? Number.NaN);
    }
    return backgrounds.map((background) => this.#known.get(background) ?? Number.NaN);
  }
}

type Pair = { readonly background: number; readonly order: readonly number[] };
type Pairs = {
  readonly pairs: readonly Pair[];
  /** The score of no player, for each pair, and that of all players. */
  readonly nones: readonly number[];
  readonly score: number;
};

/** What each player has added in each pair: the mean of the permutation and its reverse. */
async function pairsOf(game: Game, { pairs, nones, score }: Pairs): Promise<Float64Array[]> {
  const { players } = game;
  const between = players - 1;
  const ofPair = callsOfPair(players);
  const places = pairs.map(({ order }) => {
    const place = new Uint32Array(players);
    for (const [at, player] of order.entries()) place[player] = at;
    return place;
  });
  // Coalition `index` of a pair has the first index + 1 players; those of the second half are of the reverse.
  const scores = await game.scores(
    pairs.length * ofPair,
    (index) => pairs[Math.floor(index / ofPair)]?.background ?? 0,
    (index, player) => {
      const at = places[Math.floor(index / ofPair)]?.[player] ?? 0;
      const own = index % ofPair;
      return own < between ? at <= own : players - 1 - at <= own - between;
    },
  );
  return pairs.map(({ order }, pair) => {
    const added = new Float64Array(players);
    const none = nones[pair] as number;
    const ownScores = scores.subarray(pair * ofPair, (pair + 1) * ofPair);
    addSteps(added, order, [none, ...ownScores.subarray(0, between), score]);
    addSteps(added, order.toReversed(), [none, ...ownScores.subarray(between), score]);
    return added;
  });
}

/** Adds half of what each player has changed in its turn. */
function addSteps(added: Float64Array, order: readonly number[], scores: readonly number[]): void {
  for (const [at, player] of order.entries()) {
    added[player] = (added[player] as number) + ((scores[at + 1] as number) - (scores[at] as number)) / 2;
  }
}

/** Running means and variances (Welford). */
class Moments {
  count = 0;
  readonly #means: Float64Array;
  readonly #squares: Float64Array;

  constructor(players: number) {
    this.#means = new Float64Array(players);
    this.#squares = new Float64Array(players);
  }

  add(values: Float64Array): void {
    this.count += 1;
    for (const [player, value] of values.entries()) {
      const mean = this.#means[player] as number;
      const next = mean + (value - mean) / this.count;
      this.#means[player] = next;
      this.#squares[player] = (this.#squares[player] as number) + (value - mean) * (value - next);
    }
  }

  isBelow(share: number): boolean {
    if (this.count < LEAST_PAIRS) return false;
    const largest = this.#means.reduce((most, mean) => Math.max(most, Math.abs(mean)), 0);
    return this.#errors().every((error) => error <= share * largest);
  }

  result(): { values: Float64Array; errors: Float64Array | undefined } {
    return { values: this.#means, errors: this.count > 1 ? this.#errors() : undefined };
  }

  #errors(): Float64Array {
    const { count } = this;
    return this.#squares.map((square) => Math.sqrt(square / (count - 1) / count));
  }
}

/** The numbers below `count` in a random order (Fisher and Yates). */
function shuffled(count: number, random: () => number): number[] {
  const order = Array.from({ length: count }, (_, index) => index);
  for (let last = count - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    [order[last], order[other]] = [order[other] as number, order[last] as number];
  }
  return order;
}
