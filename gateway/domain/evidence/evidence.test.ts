/** The expected numbers are those of scipy 1.17.1, statsmodels 0.15.0 and numpy 2.4.6; each test names the call. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { measureDifference } from './difference.ts';
import { latencyOfHistogram, latencyOfSamples } from './latency.ts';
import type { Measured } from './measured.ts';
import { normalBelow, normalBeyond, normalQuantile } from './normal.ts';
import { measureRatio } from './ratio.ts';
import { measureShare, wilsonInterval } from './share.ts';

function near(found: number | undefined, wanted: number, tolerance = 1e-8): void {
  assert.ok(Math.abs((found ?? Number.NaN) - wanted) <= tolerance, `${found}, expected ${wanted}`);
}

function isMeasured(found: Measured | undefined, [value, low, high, z, p]: readonly number[]): void {
  assert.ok(found);
  for (const [index, wanted] of [low, high].entries()) near(found.interval[index], wanted ?? Number.NaN);
  near(found.value, value ?? Number.NaN);
  near(found.z, z ?? Number.NaN, 1e-6);
  near(found.p, p ?? Number.NaN);
}

test('the normal distribution: scipy.stats.norm.cdf(z), 2 * norm.sf(abs(z)), norm.ppf(0.5 + confidence / 2)', () => {
  for (const [z, below, beyond] of [
    [-8, 6.22096057427174e-16, 1.244192114854348e-15],
    [-5, 2.866515718791933e-7, 5.733031437583866e-7],
    [-1.96, 0.024997895148220435, 0.04999579029644087],
    [-0.3, 0.3820885778110474, 0.7641771556220948],
    [0, 0.5, 1],
    [0.7, 0.758036347776927, 0.48392730444614607],
    [3, 0.9986501019683699, 0.0026997960632601866],
    [6, 0.9999999990134123, 1.973175290075389e-9],
  ] as const) {
    near(normalBelow(z), below, 1e-15);
    near(normalBeyond(z), beyond, 1e-15);
  }
  assert.deepEqual([normalBelow(40), normalBeyond(Infinity), normalBelow(-40)], [1, 0, 0]);
  for (const [confidence, z] of [
    [0.8, 1.2815515655446004],
    [0.95, 1.959963984540054],
    [0.999, 3.2905267314919255],
  ] as const)
    near(normalQuantile(confidence), z, 1e-12);
});

test("a share: statsmodels' proportion_confint(method='wilson'), proportions_ztest(prop_var=bound)", () => {
  for (const [count, total, bound, ...wanted] of [
    [974, 1000, 0.95, 0.9621761711573101, 0.9821960617983837, 3.4822860005280574, 0.0004971524076832307],
    [186, 200, 0.95, 0.8859451911438936, 0.9578478281716571, -1.2977713690460937, 0.19436591080311139],
    [0, 20, 0.1, 0, 0.1611251580528194, -1.4907119849998598, 0.13603712811414362],
    [20, 20, 0.95, 0.8388748419471804, 1, 1.0259783520851546, 0.3049017881787879],
    [340, 372, 0.95, 0.8810855308718257, 0.938408946843418, -3.1877666560677014, 0.001433761892720683],
  ] as const)
    isMeasured(measureShare({ count, total }, bound), [count / total, ...wanted]);
  const [low, high] = wilsonInterval({ count: 186, total: 200 }, 0.999);
  near(low, 0.8460207397626016);
  near(high, 0.9698118533090645);
  assert.equal(measureShare({ count: 0, total: 0 }, 0.5), undefined);
});

test("Wilson's interval is that of published tables, and stays within 0 and 1", () => {
  // Newcombe 1998 (Statistics in Medicine 17), table I, method 3.
  const published = [
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ] as const;
  for (const [count, total, low, high] of published) {
    const [from, to] = wilsonInterval({ count, total });
    assert.ok(Math.abs(from - low) < 5e-5 && Math.abs(to - high) < 5e-5, `${count}/${total}: ${from} to ${to}`);
  }
  near(wilsonInterval({ count: 7, total: 7 })[1], 1);
});

test('a difference: the likelihood under a difference maximized with scipy.optimize.brentq, and the score by its definition', () => {
  for (const [count, total, others, otherTotal, bound, ...wanted] of [
    [12, 1000, 9, 1000, 0.01, -0.006455762345780155, 0.012892301749234036, -1.4416658283831636, 0.1493966680550143],
    [0, 200, 0, 1800, 0.01, -0.0021306619812308425, 0.018854576004949785, -1.42098273008222, 0.15532178013060383],
    [40, 200, 3, 1800, 0.01, 0.1487325326709737, 0.259230872551167, 17.283442601855434, 0],
    [5, 200, 40, 10000, 0.01, 0.006647722276355803, 0.05319554577853664, 1.3171827430327374, 0.18777737695586083],
    [1, 30, 0, 300, 0, 0.005896014622583566, 0.16700185700774914, 3.1622776601683795, 0.001565402258002548],
    [198, 200, 1, 50, 0.01, 0.8841383791213742, 0.9905942625255657, 15.027902489054549, 0],
    [480, 5000, 500, 5000, 0.01, -0.01567298898777893, 0.007664880257370273, -2.3512337164078336, 0.018711276936284018],
    [10, 10, 0, 20, 0, 0.7156186604656227, 1, 5.385164807134504, 7.237829871739995e-8],
  ] as const)
    isMeasured(measureDifference({ count, total }, { count: others, total: otherTotal }, bound), [
      count / total - others / otherTotal,
      ...wanted,
    ]);
  const all = { count: 7, total: 7 };
  assert.equal(measureDifference(all, all, 0)?.z, 0);
  assert.equal(measureDifference(all, { count: 0, total: 0 }, 0), undefined);
});

test('a difference: the intervals of Miettinen and Nurminen in table II of Newcombe 1998 (Statistics in Medicine 17, 873)', () => {
  for (const [count, total, others, otherTotal, low, high] of [
    [56, 70, 48, 80, 0.0528, 0.3382],
    [9, 10, 3, 10, 0.17, 0.8406],
    [6, 7, 2, 7, 0.0342, 0.8534],
  ] as const) {
    const found = measureDifference({ count, total }, { count: others, total: otherTotal }, 0);
    near(found?.interval[0], low, 5e-5);
    near(found?.interval[1], high, 5e-5);
  }
});

test('the interval of a difference excludes a bound where its test has p below 0.05', () => {
  for (let errors = 0; errors <= 40; errors += 1) {
    const found = measureDifference({ count: errors, total: 400 }, { count: 30, total: 4000 }, 0.01);
    assert.ok(found);
    const [low, high] = found.interval;
    assert.equal(found.p < 0.05, low > 0.01 || high < 0.01, `${errors} errors`);
  }
});

test('a ratio of samples: numpy mean, var(ddof=1) and percentile; exp(log(ratio) ± 1.96 error)', () => {
  const one = latencyOfSamples([41, 31, 95, 35, 36, 38, 40, 41, 44, 52].map((ms) => ms / 1000));
  const other = latencyOfSamples([30, 31, 33, 33, 34, 36, 37, 39, 48].map((ms) => ms / 1000));
  near(one.mean, 0.0453);
  near(one.variance, 0.0003369);
  near(one.quantile(0.5), 0.0405);
  near(one.quantile(0.99), 0.09113);
  isMeasured(
    measureRatio(one, other, 1.5),
    [1.2700934579439251, 0.9694468580151522, 1.6639771211541172, -1.20719731075951, 0.22735616588212226],
  );
  assert.equal(measureRatio(one, latencyOfSamples([1]), 1.5), undefined);
  assert.ok(Number.isNaN(latencyOfSamples([]).quantile(0.5)));
});

test('a ratio of histograms: the same formula, with times spread evenly over each bucket', () => {
  const bounds = [0.01, 0.025, 0.05, 0.1, 0.25];
  const one = latencyOfHistogram({ bounds, counts: [0, 12, 150, 30, 6, 2], sum: 11.2 });
  const other = latencyOfHistogram({ bounds, counts: [5, 60, 900, 120, 14, 1], sum: 52.3 });
  assert.deepEqual([one.count, other.count], [200, 1100]);
  near(one.variance, 0.01054051507537686);
  near(other.variance, 0.03303108680067263);
  isMeasured(
    measureRatio(one, other, 1.5),
    [1.1778202676864244, 0.8383544528361173, 1.6547423089122713, -1.393960860767567, 0.16332942405712347],
  );
});

test('quantiles of a histogram are those of histogram_quantile', () => {
  const { quantile } = latencyOfHistogram({ bounds: [0.1, 0.2, 0.4], counts: [10, 0, 80, 10], sum: 40 });
  near(quantile(0.05), 0.05);
  near(quantile(0.5), 0.3);
  near(quantile(0.99), 0.4);
  assert.ok(Number.isNaN(latencyOfHistogram({ bounds: [0.1], counts: [0, 0], sum: 0 }).quantile(0.5)));
  assert.ok(Number.isNaN(latencyOfHistogram({ bounds: [], counts: [], sum: 0 }).mean));
});
