/**
 * The regions of XRAI for given attributions, to compare with another implementation: serving/training/tests/against_saliency.py.
 *
 * node bench/xrai.ts HEIGHT WIDTH < pixels and attributions > ranks
 *
 * Standard input: float32 pixels [HEIGHT, WIDTH, 3] from 0 to 255, then float32 attributions [HEIGHT, WIDTH]. Standard output: for
 * each pixel the rank of its region as uint16, 0 for the most important.
 */
import { buffer } from 'node:stream/consumers';
import { atOnce } from '../gateway/domain/steps.ts';
import { masksOf } from '../gateway/explain/gradients/masks.ts';
import { ranked } from '../gateway/explain/gradients/rank.ts';

const [height = 0, width = 0] = process.argv.slice(2).map(Number);
const bytes = await buffer(process.stdin);
const numbers = new Float32Array(new Uint8Array(bytes).buffer);
const pixels = numbers.subarray(0, height * width * 3);
const attributions = Float64Array.from(numbers.subarray(height * width * 3));
const masks = atOnce(masksOf({ pixels, height, width, channels: 3 }));
const { labels } = atOnce(ranked(masks, attributions));
process.stdout.write(new Uint8Array(labels.buffer));
