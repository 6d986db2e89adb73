/**
 * libjpeg's constants FIX(x) = round(x * 2^13), summed up along its flow graph: what a coefficient adds to a point.
 * Names: coefficient by its number, point by the order in which it comes.
 */
export const ONE: i16 = 8192;
export const E2: i16 = 10703; // FIX(0.541196100) + FIX(0.765366865)
export const E6: i16 = 4433; // FIX(0.541196100)
export const E6N: i16 = -10704; // FIX(0.541196100) - FIX(1.847759065)
export const A: i16 = 11363; // FIX(1.501321110) - FIX(0.899976223) - FIX(0.390180644) + FIX(1.175875602)
export const B: i16 = 9633; // FIX(1.175875602)
export const C: i16 = 6437; // FIX(1.175875602) - FIX(0.390180644)
export const D: i16 = 2260; // FIX(1.175875602) - FIX(0.899976223)
export const C3: i16 = -2259; // FIX(3.072711026) - FIX(2.562915447) - FIX(1.961570560) + FIX(1.175875602)
export const A5: i16 = -11362; // FIX(1.175875602) - FIX(2.562915447)
export const B7: i16 = -6436; // FIX(1.175875602) - FIX(1.961570560)
export const C5: i16 = 2261; // FIX(2.053119869) - FIX(2.562915447) - FIX(0.390180644) + FIX(1.175875602)
export const D7: i16 = -11363; // FIX(0.298631336) - FIX(0.899976223) - FIX(1.961570560) + FIX(1.175875602)

/** After the column pass: eight rows of eight, columns in the order of zigzag.ts. */
export const WORKSPACE: usize = memory.data(128, 16);
