/**
 * Brings a row of a smaller component to the picture's width (T.81 leaves the method open). libjpeg takes a triangle
 * filter for components of half the width or height ("fancy"): 3/4 of the nearer sample and 1/4 of the farther one in
 * each direction. Its roundings alternate, so that they do not add up to a shift. At the picture's edge the last real
 * sample stands in for the one behind it; libjpeg's special cases come to the same. Other components are repeated.
 */
import { sixteenCentred } from './colour';
import { Component } from './frame';
import { splat16 } from './vectors';

/** Numbers that are added or multiplied by, as vectors in memory (vectors.ts). */
const NUMBERS: usize = memory.data(7 * 16, 16);
const THREE: usize = NUMBERS;
const EIGHT: usize = NUMBERS + 16;
const SEVEN: usize = NUMBERS + 32;
const ONE: usize = NUMBERS + 48;
const TWO: usize = NUMBERS + 64;
/** 8 and 7 less 16 * 128: they centre the result at 0. */
const EIGHT_CENTRED: usize = NUMBERS + 80;
const SEVEN_CENTRED: usize = NUMBERS + 96;

export function initialise(): void {
  splat16(THREE, 3);
  splat16(EIGHT, 8);
  splat16(SEVEN, 7);
  splat16(ONE, 1);
  splat16(TWO, 2);
  splat16(EIGHT_CENTRED, 8 - 16 * 128);
  splat16(SEVEN_CENTRED, 7 - 16 * 128);
}

/** How a component is brought to the picture's size. */
export const AS_IS: i32 = 0;
export const H2V1: i32 = 1;
export const H1V2: i32 = 2;
export const H2V2: i32 = 3;
export const REPEATED: i32 = 4;

/** libjpeg's choice (jdsample.c): no smoothing across a component of one or two columns. */
export function methodOf(c: Component): i32 {
  if (c.stretchX === 1 && c.stretchY === 1) return AS_IS;
  if (c.stretchX === 1 && c.stretchY === 2) return H1V2;
  if (c.stretchX === 2 && c.width > 2) {
    if (c.stretchY === 1) return H2V1;
    if (c.stretchY === 2) return H2V2;
  }
  return REPEATED;
}

/** Whether a row needs the component's next or previous row too. */
@inline
export function isTall(method: i32): bool {
  return method === H1V2 || method === H2V2;
}

/** Rows of sums, with room for one more before and eight more after: of one component, and of a second one. */
export class Sums {
  static first: usize = 0;
  static second: usize = 0;
}

const BEFORE: usize = 16;

/** How many bytes a row of sums needs for a component of this width. */
export function sumsBytes(width: i32): usize {
  return BEFORE + 2 * ((width + 31) & ~15);
}

/** 3/4 of one row and 1/4 of the other, times 4. */
@inline
function addRows(near: usize, far: usize, width: i32, rows: usize): usize {
  const sums = rows + BEFORE;
  const three = v128.load(THREE);
  for (let x = 0; x < width; x += 8) {
    const n = v128.load_ext<u8>(near + x);
    const f = v128.load_ext<u8>(far + x);
    v128.store(sums + 2 * x, i16x8.add(i16x8.mul(n, three), f));
  }
  return sums;
}

@inline
function repeatEdges(sums: usize, width: i32): void {
  store<i16>(sums - 2, load<i16>(sums));
  store<i16>(sums + 2 * width, load<i16>(sums + 2 * width - 2));
}

/** 3/4 of a sum and 1/4 of the one before it, and of the one after it: the two samples that take its place. */
@inline
function between(at: usize, before: v128, shift: i32): v128 {
  const here = v128.load(at);
  const three = i16x8.add(i16x8.add(here, here), here);
  return i16x8.shr_s(i16x8.add(i16x8.add(three, v128.load(at - 2)), before), shift);
}

@inline
function betweenNext(at: usize, after: v128, shift: i32): v128 {
  const here = v128.load(at);
  const three = i16x8.add(i16x8.add(here, here), here);
  return i16x8.shr_s(i16x8.add(i16x8.add(three, v128.load(at + 2)), after), shift);
}

/** Both ways: 16 samples from 8 sums at a time. */
export function h2v2(near: usize, far: usize, width: i32, to: usize): void {
  const sums = addRows(near, far, width, Sums.first);
  repeatEdges(sums, width);
  const eight = v128.load(EIGHT);
  const seven = v128.load(SEVEN);
  for (let x = 0; x < width; x += 8) {
    const at = sums + 2 * x;
    v128.store(to + 2 * x, v128.or(between(at, eight, 4), i16x8.shl(betweenNext(at, seven, 4), 8)));
  }
}

/** Both ways for both components of chroma, and to RGB in one go. `far` is so many bytes from the nearer rows. */
export function h2v2ToRgb(luma: usize, blue: usize, red: usize, far: isize, width: i32, to: usize): void {
  const sumsB = addRows(blue, blue + far, width, Sums.first);
  const sumsR = addRows(red, red + far, width, Sums.second);
  repeatEdges(sumsB, width);
  repeatEdges(sumsR, width);
  const eight = v128.load(EIGHT_CENTRED);
  const seven = v128.load(SEVEN_CENTRED);
  for (let x = 0; x < width; x += 8) {
    const bEven = between(sumsB + 2 * x, eight, 4);
    const bOdd = betweenNext(sumsB + 2 * x, seven, 4);
    const rEven = between(sumsR + 2 * x, eight, 4);
    const rOdd = betweenNext(sumsR + 2 * x, seven, 4);
    sixteenCentred(
      v128.load(luma + 2 * x),
      v128.shuffle<i16>(bEven, bOdd, 0, 8, 1, 9, 2, 10, 3, 11),
      v128.shuffle<i16>(bEven, bOdd, 4, 12, 5, 13, 6, 14, 7, 15),
      v128.shuffle<i16>(rEven, rOdd, 0, 8, 1, 9, 2, 10, 3, 11),
      v128.shuffle<i16>(rEven, rOdd, 4, 12, 5, 13, 6, 14, 7, 15),
      to + 6 * x,
    );
  }
}

/** Across only. */
export function h2v1(row: usize, width: i32, to: usize): void {
  const sums = Sums.first + BEFORE;
  for (let x = 0; x < width; x += 8) v128.store(sums + 2 * x, v128.load_ext<u8>(row + x));
  repeatEdges(sums, width);
  const one = v128.load(ONE);
  const two = v128.load(TWO);
  for (let x = 0; x < width; x += 8) {
    const at = sums + 2 * x;
    v128.store(to + 2 * x, v128.or(between(at, one, 2), i16x8.shl(betweenNext(at, two, 2), 8)));
  }
}

/** Down only: the upper of the two rows is rounded by 1, the lower by 2. */
export function h1v2(near: usize, far: usize, width: i32, isLower: bool, to: usize): void {
  const sums = addRows(near, far, width, Sums.first);
  const bias = v128.load(isLower ? TWO : ONE);
  for (let x = 0; x < width; x += 8) {
    const sum = i16x8.shr_u(i16x8.add(v128.load(sums + 2 * x), bias), 2);
    v128.store_lane<u64>(to + x, i8x16.narrow_i16x8_u(sum, sum), 0);
  }
}

/** Repeats each sample. */
export function repeat(row: usize, width: i32, times: i32, to: usize): void {
  if (times === 1) memory.copy(to, row, width);
  else for (let x = 0; x < width; x++, to += times) memory.fill(to, load<u8>(row + x), times);
}
