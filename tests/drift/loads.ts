/** Requests to replay: photos of the held-out split, and synthetic customers, usual ones and others. */
import sharp from 'sharp';
import { type Photo, readPhoto, testPhotos } from '../dataset.ts';
import { type Chance, createChance } from './chance.ts';

/** `body`: of POST /predict?model=MODEL. `predictions`: how many it has. */
export type Load = { readonly model: string; readonly predictions: number; next(): Promise<object> };

const PHOTOS_AT_ONCE = 4;
const CUSTOMERS_AT_ONCE = 25;

type Change = (photo: Buffer) => Promise<Buffer>;

/** Photos of the test split in another order each time. `weight`: how often a photo comes. */
export async function photos(
  seed: number,
  weight: (photo: Photo) => number = () => 1,
  change: Change = async (photo) => photo,
): Promise<Load> {
  const all = await testPhotos();
  const weights = all.map(weight);
  const chance = createChance(seed);
  return {
    model: 'clothing-model',
    predictions: PHOTOS_AT_ONCE,
    async next() {
      const chosen = Array.from({ length: PHOTOS_AT_ONCE }, () => all[chance.weighted(weights)]);
      const read = async (photo: Photo | undefined) => ({
        b64: (await change(await readPhoto(photo?.name ?? ''))).toString('base64'),
      });
      return { instances: await Promise.all(chosen.map(read)) };
    },
  };
}

/** As in a room with less light: all samples times 0.7. */
export const darkened: Change = (photo) => sharp(photo).linear(0.7, 0).jpeg({ quality: 95 }).toBuffer();

/** Customers as serving/training/tabular/customers.py draws them. `mostMonths`: how long the oldest of them has been one. */
export function customers(seed: number, mostMonths = 72): Load {
  const chance = createChance(seed);
  return {
    model: 'churn-synthetic',
    predictions: CUSTOMERS_AT_ONCE,
    next: async () => ({ instances: Array.from({ length: CUSTOMERS_AT_ONCE }, () => draw(chance, mostMonths)) }),
  };
}

function draw(chance: Chance, mostMonths: number): object {
  const internet = chance.weighted([0.35, 0.45, 0.2]);
  return {
    contract: ['month-to-month', 'one year', 'two year'][chance.weighted([0.5, 0.3, 0.2])],
    internetservice: ['dsl', 'fiber optic', 'no'][internet],
    tenure: chance.integer(mostMonths + 1),
    supportcalls: chance.poisson(1.5),
    monthlycharges: ([55, 85, 22][internet] ?? 0) + 9 * chance.normal(),
  };
}
