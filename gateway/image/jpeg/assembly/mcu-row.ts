/** Decodes and transforms one row of MCUs into the planes of its components. */
import { take } from './arena';
import { isOverrun } from './bits';
import { blockAt } from './coefficients';
import { Component, component, Frame } from './frame';
import { inverse } from './idct';
import * as interval from './interval';
import { wantedBlocks, wantedRows } from './selection';
import { decodeBlock } from './sequential';
import { OK } from './status';
import { BLOCK_BYTES, toPlaces } from './zigzag';

/** Loops over a row read and write up to so many bytes behind it. */
export const SLACK: usize = 64;

export function layOut(): bool {
  for (let i = 0; i < Frame.components; i++) {
    const c = component(i);
    c.stride = (Frame.mcusAcross * c.h * 8 + <i32>SLACK) & ~15;
    const plane = take(<u64>c.stride * (c.v * 8 + 2));
    if (plane === 0) return false;
    c.plane = plane + c.stride;
  }
  return true;
}

/** One of an MCU's blocks, in their order (T.81 A.2.3): where its samples go, and which of its rows are wanted. */
@unmanaged
class Block {
  component: Component;
  to: usize;
  step: usize;
  rows: i32;
  /** Its byte of wantedBlocks. */
  wanted: usize;
  coefficients: usize;
  places: i32;
}

/** The most blocks of an MCU: ten if it has several components, else one. */
const MOST: usize = 10;
const BLOCKS: usize = memory.data(10 * 32, 16);
const COEFFICIENTS: usize = memory.data(10 * 144, 16);

@inline
function blockOf(i: i32): Block {
  return changetype<Block>(BLOCKS + (<usize>i << 5));
}

/** Sets the blocks to the first MCU of a row. Returns how many they are. */
function layBlocks(row: i32): i32 {
  let count = 0;
  for (let i = 0; i < Frame.components; i++) {
    const c = component(i);
    for (let v = 0; v < c.v; v++) {
      for (let h = 0; h < c.h; h++) {
        const block = blockOf(count);
        block.coefficients = COEFFICIENTS + <usize>count * BLOCK_BYTES;
        block.component = c;
        block.to = c.plane + v * 8 * c.stride + h * 8;
        block.step = 8 * c.h;
        block.rows = load<u8>(wantedRows(i) + row * c.v + v);
        block.wanted = wantedBlocks(i) + h;
        count++;
      }
    }
  }
  return count;
}

/** Decodes the next row of MCUs of a scan of all components. */
export function decode(row: i32, end: usize): i32 {
  const blocks = layBlocks(row);
  for (let column = 0; column < Frame.mcusAcross; column++) {
    if (!interval.isGoingOn(end)) return damaged(end);
    // one after the other: coefficients just stored one by one cannot be loaded eight at a time without a wait
    for (let i = 0; i < blocks; i++) {
      const block = blockOf(i);
      block.places = decodeBlock(block.component, block.coefficients);
      if (block.places < 0) return damaged(end);
    }
    for (let i = 0; i < blocks; i++) transform(blockOf(i));
    if (isOverrun()) return damaged(end);
  }
  return OK;
}

@inline
function transform(block: Block): void {
  const c = block.component;
  const rows = block.rows & load<u8>(block.wanted);
  inverse(block.coefficients, c.quant, block.places, block.to, c.stride, rows);
  block.wanted += c.h;
  block.to += block.step;
}

/** Leaves zeros for the next picture. */
function damaged(end: usize): i32 {
  memory.fill(COEFFICIENTS, 0, MOST * BLOCK_BYTES);
  return interval.mistake(end);
}

/** The same from coefficients that were kept (coefficients.ts). */
export function transformKept(row: i32): void {
  for (let i = 0; i < Frame.components; i++) {
    const c = component(i);
    for (let v = 0; v < c.v; v++) {
      const down = row * c.v + v;
      const rows = load<u8>(wantedRows(i) + down);
      if (rows) transformRow(c, i, down, rows, c.plane + v * 8 * c.stride);
    }
  }
}

function transformRow(c: Component, i: i32, down: i32, rows: i32, to: usize): void {
  const wanted = wantedBlocks(i);
  for (let first = 0; first < c.blocksAcross; first += <i32>MOST) {
    const count = min(<i32>MOST, c.blocksAcross - first);
    // one after the other, as above
    for (let n = 0; n < count; n++) {
      const block = blockOf(n);
      block.rows = rows & load<u8>(wanted + first + n);
      block.coefficients = COEFFICIENTS + <usize>n * BLOCK_BYTES;
      if (block.rows) block.places = toPlaces(blockAt(c, first + n, down), block.coefficients);
    }
    for (let n = 0; n < count; n++, to += 8) {
      const block = blockOf(n);
      if (block.rows) inverse(block.coefficients, c.quant, block.places, to, c.stride, rows);
    }
  }
}
