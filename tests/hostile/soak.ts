/** `npm run soak [MINUTES]`: good and bad requests, mixed, for a while; what they leave behind in the gateway. */
import { soak } from './soak-load.ts';

const minutes = Number(process.argv[2] ?? 10);
if (!(minutes > 0)) throw new Error('npm run soak -- MINUTES: needs a number above zero');
process.stdout.write(`${JSON.stringify(await soak(minutes * 60_000), undefined, 2)}\n`);
