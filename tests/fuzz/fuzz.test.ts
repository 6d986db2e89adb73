/** A short run of `npm run fuzz`: every input of the corpus, then a few seconds of mutants from a fixed seed. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { checkInput, corpusOf, fuzz } from './fuzz.ts';
import { PARSERS } from './parsers.ts';

const SEED = 20_260_101;
const seconds = Number(process.env.FUZZ_SECONDS ?? 20) / PARSERS.length;

for (const parser of PARSERS) {
  describe(`fuzzing ${parser.name}`, () => {
    test('every input of the corpus, with all earlier findings', async () => {
      for (const [name, input] of await corpusOf(parser)) {
        await checkInput(parser, input).catch((cause) => assert.fail(`${name}: ${cause.stack}`));
      }
    });

    test(`${seconds} s from seed ${SEED}`, async (t) => {
      const before = process.resourceUsage().maxRSS;
      const { runs, finding } = await fuzz(parser, { seed: SEED, seconds });
      const grownMb = Math.round((process.resourceUsage().maxRSS - before) / 1024);
      t.diagnostic(`came: ${runs} inputs, memory peak +${grownMb} MB`);
      assert.equal(finding, undefined, finding && `${Buffer.from(finding.input).toString('base64')}: ${finding.error}`);
      assert.ok(runs > 20, `only ${runs} inputs in ${seconds} s`);
    });
  });
}
