/**
 * The colours of heat maps: a straight line in Oklab (Ottosson, A perceptual color space for image processing, 2020) from dark blue through
 * gray to yellow. Equal steps of the value are equally visible, and people who do not tell red from green see the same.
 */

type Color = readonly [red: number, green: number, blue: number];

const DARK_BLUE = [0.31, 0.005, -0.11] as const;
const YELLOW = [0.93, -0.02, 0.16] as const;
const STEPS = 256;

/** The 8-bit colours of 256 steps: from the strongest evidence against the target to the strongest for it. */
export const COLORS: readonly Color[] = Array.from({ length: STEPS }, (_, step) => {
  const share = step / (STEPS - 1);
  const at = (index: 0 | 1 | 2) => DARK_BLUE[index] + share * (YELLOW[index] - DARK_BLUE[index]);
  return fromOklab(at(0), at(1), at(2));
});

/** The colour of a value from -1 to 1. */
export function colorOf(value: number): Color {
  const step = Math.round(((Math.min(1, Math.max(-1, value)) + 1) / 2) * (STEPS - 1));
  return COLORS[step] as Color;
}

function fromOklab(lightness: number, a: number, b: number): Color {
  const long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const short = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    toByte(4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short),
    toByte(-1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short),
    toByte(-0.0041960863 * long - 0.7034186147 * medium + 1.707614701 * short),
  ];
}

/** Linear light as a level of sRGB (IEC 61966-2-1). */
function toByte(linear: number): number {
  const value = linear <= 0.0031308 ? 12.92 * linear : 1.055 * linear ** (1 / 2.4) - 0.055;
  return Math.round(255 * Math.min(1, Math.max(0, value)));
}
