/** Rows of pixels from the planes of one row of MCUs. */
import { take } from './arena';
import { OVERSHOOT, sixteen, sixteenGray, toGray } from './colour';
import { Component, component, Frame } from './frame';
import { SLACK } from './mcu-row';
import { pick, Selection, shuffled } from './selection';
import * as upsample from './upsample';
import { AS_IS, H1V2, H2V1, H2V2, isTall, methodOf, Sums, sumsBytes } from './upsample';

export class Rows {
  /** 1 for gray, 3 for RGB. */
  static channels: i32 = 0;
  /** Room for three rows of the picture's width, for the chosen columns of three rows, and for one row of RGB. */
  static wide: usize = 0;
  static picked: usize = 0;
  static rgb: usize = 0;
  static wideBytes: usize = 0;
  static pickedBytes: usize = 0;
  /** Whether a row needs the next row of MCUs too. */
  static isAnyTall: bool = false;
  /** Whether both components of chroma are H2V2, and luma is as it is. */
  static isUsual: bool = false;
}

/** By component: its method of upsample.ts. */
const METHODS: usize = memory.data(3);

@inline
function method(i: i32): i32 {
  return load<u8>(METHODS + i);
}

export function layOut(channels: i32): bool {
  Rows.channels = channels;
  Rows.isAnyTall = false;
  let width = 0;
  for (let i = 0; i < Frame.components; i++) {
    const c = component(i);
    store<u8>(METHODS + i, methodOf(c));
    Rows.isAnyTall = Rows.isAnyTall || isTall(method(i));
    width = max(width, c.width);
  }
  Rows.isUsual = Frame.components === 3 && method(0) === AS_IS && method(1) === H2V2 && method(2) === H2V2;
  Rows.wideBytes = <usize>Frame.mcusAcross * Frame.mcuWidth + SLACK;
  Rows.pickedBytes = (<usize>Selection.columns + SLACK) & ~15;
  Rows.wide = take(3 * <u64>Rows.wideBytes);
  Rows.picked = take(3 * <u64>Rows.pickedBytes);
  Rows.rgb = take(3 * <u64>max(Rows.wideBytes, Rows.pickedBytes) + OVERSHOOT);
  Sums.first = take(sumsBytes(width));
  Sums.second = take(sumsBytes(width));
  return Rows.wide !== 0 && Rows.picked !== 0 && Rows.rgb !== 0 && Sums.first !== 0 && Sums.second !== 0;
}

/** Saves the last row of each plane above the first one, before the next row of MCUs is decoded. */
export function keepLastRows(): void {
  if (!Rows.isAnyTall) return;
  for (let i = 0; i < Frame.components; i++) copyRow(component(i), 8 * component(i).v - 1, -1);
}

/** Repeats the first and the last row of the picture outwards, for a row of MCUs that has been decoded. */
export function repeatOuterRows(mcuRow: i32): void {
  for (let i = 0; i < Frame.components; i++) {
    const c = component(i);
    if (!isTall(method(i))) continue;
    if (mcuRow === 0) copyRow(c, 0, -1);
    const last = c.height - 1 - 8 * c.v * mcuRow;
    if (mcuRow === Frame.mcusDown - 1) copyRow(c, last, last + 1);
  }
}

function copyRow(c: Component, from: i32, to: i32): void {
  memory.copy(c.plane + to * c.stride, c.plane + from * c.stride, c.stride);
}

/**
 * Writes the chosen columns of one row of pixels, and up to OVERSHOOT bytes behind them. `row` counts from the top of
 * the row of MCUs; -1 is the last row of the one before.
 */
export function writeRow(row: i32, to: usize): void {
  if (Rows.channels === 3) return writeRgb(row, to);
  if (Frame.components === 1) return writeColumns(wideRow(0, row), to);
  writeRgb(row, Rows.rgb);
  toGray(Rows.rgb, Selection.columns);
  memory.copy(to, Rows.rgb, Selection.columns);
}

function writeColumns(wide: usize, to: usize): void {
  if (Selection.isRange) memory.copy(to, wide + load<i32>(Selection.columnOf), Selection.columns);
  else pick(wide, to);
}

function writeRgb(row: i32, to: usize): void {
  if (Rows.isUsual && Selection.isRange) return writeUsual(row, to);
  const luma = wideRow(0, row);
  if (Frame.components === 1) return convert(luma, 0, 0, to);
  convert(luma, wideRow(1, row), wideRow(2, row), to);
}

/** 4:2:0, as most photos are, without a detour by rows of full width. */
function writeUsual(row: i32, to: usize): void {
  const y = component(0);
  const cb = component(1);
  const luma = y.plane + row * y.stride;
  const near = <isize>(row >> 1) * cb.stride;
  const far = <isize>(row & 1 ? cb.stride : -cb.stride);
  const isWhole = Selection.columns === Frame.width;
  const rgb = isWhole ? to : Rows.rgb;
  upsample.h2v2ToRgb(luma, cb.plane + near, component(2).plane + near, far, cb.width, rgb);
  if (!isWhole) memory.copy(to, rgb + 3 * load<i32>(Selection.columnOf), 3 * Selection.columns);
}

/** A component's samples for one row of pixels, at full width. */
function wideRow(i: i32, row: i32): usize {
  const c = component(i);
  const how = method(i);
  if (how === AS_IS) return c.plane + row * c.stride;
  const wide = Rows.wide + <usize>i * Rows.wideBytes;
  const own = row < 0 ? -1 : row / c.stretchY;
  const near = c.plane + own * c.stride;
  const far = row & 1 ? near + c.stride : near - c.stride;
  if (how === H2V1) upsample.h2v1(near, c.width, wide);
  else if (how === H1V2) upsample.h1v2(near, far, c.width, (row & 1) === 1, wide);
  else if (how === H2V2) upsample.h2v2(near, far, c.width, wide);
  else upsample.repeat(near, c.width, c.stretchX, wide);
  return wide;
}

/** Converts the chosen columns of three rows, or of one gray row, to RGB. */
function convert(luma: usize, blue: usize, red: usize, to: usize): void {
  const groups = (Selection.columns + 15) / 16;
  if (!Selection.isRange && Selection.canShuffle) {
    for (let i = 0; i < groups; i++, to += 48) {
      if (blue) sixteen(shuffled(luma, i), shuffled(blue, i), shuffled(red, i), to);
      else sixteenGray(shuffled(luma, i), to);
    }
    return;
  }
  let y = columnsOf(luma, 0);
  let cb = blue ? columnsOf(blue, 1) : 0;
  let cr = blue ? columnsOf(red, 2) : 0;
  for (let i = 0; i < groups; i++, y += 16, cb += 16, cr += 16, to += 48) {
    if (blue) sixteen(v128.load(y), v128.load(cb), v128.load(cr), to);
    else sixteenGray(v128.load(y), to);
  }
}

/** Where the chosen columns of a row are, one after the other. */
function columnsOf(wide: usize, i: usize): usize {
  if (Selection.isRange) return wide + load<i32>(Selection.columnOf);
  const picked = Rows.picked + i * Rows.pickedBytes;
  pick(wide, picked);
  return picked;
}
