/** `npm run soak -- [MINUTES]`: a mixed load of good and bad requests, and the resources it leaves behind, as JSON. */
import { soak } from './soak-load.ts';

const minutes = Number(process.argv[2] ?? 10);
if (!(minutes > 0)) throw new Error('npm run soak -- MINUTES: needs a number above 0');
process.stdout.write(`${JSON.stringify(await soak(minutes * 60_000), undefined, 2)}\n`);
