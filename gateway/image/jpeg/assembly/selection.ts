/** Which pixels are asked for: rows and columns by their numbers, each ascending, and what has to be computed for them. */
import { take } from './arena';
import { Component, component, Frame } from './frame';
import { AS_IS, isTall, methodOf, REPEATED } from './upsample';

export class Selection {
  static columns: i32 = 0;
  static rows: i32 = 0;
  /** The caller's tables: the picture's column by the output's, and its row by the output's; 32 bits each. */
  static columnOf: usize = 0;
  static rowOf: usize = 0;
  /** Whether the columns are neighbours. */
  static isRange: bool = false;
  /** For other columns: plans to pick them, 16 at a time; whether all lie close enough together for that. */
  static plans: usize = 0;
  static canShuffle: bool = false;
}

/** By component: a byte for each block down with a bit for each row wanted; for each block across 255 if it is wanted. */
const WANTED: usize = memory.data(3 * 8);

@inline
export function wantedRows(i: i32): usize {
  return load<u32>(WANTED + 8 * i);
}

@inline
export function wantedBlocks(i: i32): usize {
  return load<u32>(WANTED + 8 * i, 4);
}

/** A plan: the first column, then two shuffles of the 32 bytes that begin there. */
const PLAN: usize = 48;

export function layOut(columns: i32, rows: i32): bool {
  Selection.columns = columns;
  Selection.rows = rows;
  Selection.columnOf = take(4 * <u64>columns);
  Selection.rowOf = take(4 * <u64>rows);
  Selection.plans = take(<u64>(columns + 15) / 16 * PLAN);
  for (let i = 0; i < Frame.components; i++) {
    const c = component(i);
    store<u32>(WANTED + 8 * i, take(Frame.mcusDown * c.v));
    store<u32>(WANTED + 8 * i, take(Frame.mcusAcross * c.h), 4);
    if (!wantedRows(i) || !wantedBlocks(i)) return false;
  }
  return Selection.columnOf !== 0 && Selection.rowOf !== 0 && Selection.plans !== 0;
}

/** Reads the tables. The caller has checked that they ascend within the picture. */
export function choose(): void {
  Selection.isRange = isRange(Selection.columnOf, Selection.columns);
  Selection.canShuffle = !Selection.isRange && plan();
  for (let i = 0; i < Frame.components; i++) {
    wantRows(component(i), wantedRows(i));
    wantBlocks(component(i), wantedBlocks(i));
  }
}

@inline
function at(table: usize, i: i32): i32 {
  return load<i32>(table + (<usize>i << 2));
}

/** Whether the numbers follow each other. */
function isRange(table: usize, count: i32): bool {
  const first = at(table, 0);
  for (let i = 1; i < count; i++) if (at(table, i) - first !== i) return false;
  return true;
}

/** Marks the rows of a component that the wanted rows of pixels need, with neighbours where rows are smoothed. */
function wantRows(c: Component, bits: usize): void {
  memory.fill(bits, 0, Frame.mcusDown * c.v);
  const reach = isTall(methodOf(c)) ? 1 : 0;
  const last = c.height - 1;
  for (let i = 0; i < Selection.rows; i++) {
    const near = at(Selection.rowOf, i) / c.stretchY;
    for (let row = max(near - reach, 0); row <= min(near + reach, last); row++) {
      const byte = bits + (row >> 3);
      store<u8>(byte, <i32>load<u8>(byte) | (1 << (row & 7)));
    }
  }
}

function wantBlocks(c: Component, blocks: usize): void {
  memory.fill(blocks, 0, Frame.mcusAcross * c.h);
  const method = methodOf(c);
  const reach = method === AS_IS || method === REPEATED ? 0 : 1;
  // of neighbours, all columns of a block are wanted: one of them is enough
  const step = Selection.isRange ? 8 : 1;
  const last = Selection.columns - 1;
  for (let i = 0; i < last; i += step) wantColumn(c, blocks, at(Selection.columnOf, i), reach);
  wantColumn(c, blocks, at(Selection.columnOf, last), reach);
}

@inline
function wantColumn(c: Component, blocks: usize, column: i32, reach: i32): void {
  const near = column / c.stretchX;
  store<u8>(blocks + (max(near - reach, 0) >> 3), 255);
  store<u8>(blocks + (min(near + reach, c.width - 1) >> 3), 255);
}

/** Plans to pick the columns by shuffles. False if 16 of them are ever further apart than 32 bytes. */
function plan(): bool {
  let to = Selection.plans;
  for (let i = 0; i < Selection.columns; i += 16) {
    const first = at(Selection.columnOf, i);
    for (let lane = 0; lane < 16; lane++) {
      const column = at(Selection.columnOf, min(i + lane, Selection.columns - 1)) - first;
      if (column > 31) return false;
      store<u8>(to + lane, column < 16 ? column : 0x80, 16);
      store<u8>(to + lane, column < 16 ? 0x80 : column - 16, 32);
    }
    store<i32>(to, first);
    to += PLAN;
  }
  return true;
}

/** The columns 16 * group and on of a row, where they can be shuffled. */
@inline
export function shuffled(row: usize, group: i32): v128 {
  const plan = Selection.plans + <usize>group * PLAN;
  const first = row + load<i32>(plan);
  return v128.or(
    i8x16.relaxed_swizzle(v128.load(first), v128.load(plan, 16)),
    i8x16.relaxed_swizzle(v128.load(first, 16), v128.load(plan, 32)),
  );
}

/** Picks the columns of a row one by one. */
export function pick(row: usize, to: usize): void {
  const columns = Selection.columns;
  const columnOf = Selection.columnOf;
  for (let x = 0; x < columns; x++) store<u8>(to + x, load<u8>(row + at(columnOf, x)));
}
