/** Numbers that look random and are the same in every run. */

export type Chance = {
  /** From 0 to 1, both excluded. */
  uniform(): number;
  /** From 0 to `count` - 1. */
  integer(count: number): number;
  /** Mean 0, standard deviation 1. */
  normal(): number;
  poisson(mean: number): number;
  /** An index, by its weight. */
  weighted(weights: readonly number[]): number;
};

/** Park and Miller's generator. */
export function createChance(seed: number): Chance {
  let state = seed;
  function uniform(): number {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  }
  return {
    uniform,
    integer: (count) => Math.floor(uniform() * count),
    // Box and Muller.
    normal: () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()),
    // Knuth: how many uniform numbers have a product above e^-mean.
    poisson(mean) {
      let count = -1;
      for (let product = 1; product > Math.exp(-mean); count += 1) product *= uniform();
      return count;
    },
    weighted(weights) {
      const sum = weights.reduce((total, weight) => total + weight, 0);
      let left = uniform() * sum;
      const found = weights.findIndex((weight) => {
        left -= weight;
        return left < 0;
      });
      return found < 0 ? weights.length - 1 : found;
    },
  };
}
