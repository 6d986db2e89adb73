/** Pictures of several scans: the coefficients of all blocks are kept until the last scan, each block's in zigzag order. */
import { take } from './arena';
import { isOverrun } from './bits';
import { Component, component, Frame } from './frame';
import * as interval from './interval';
import { Interval } from './interval';
import { Marker, readNext } from './markers';
import { firstAc, firstDc, nextAc, nextDc } from './progressive';
import { advance, isComplete, Scan, scanned } from './scan';
import { decodeBlock } from './sequential';
import { NO_MEMORY, NOT_OURS, OK } from './status';
import { BLOCK_BYTES, fromPlaces } from './zigzag';

/** Far more than encoders write (10 to 20). It bounds the time: a scan can be long where its data are short. */
const MOST_SCANS: i32 = 100;

const COEFFICIENTS_BYTES: usize = 128;
/** A block of a sequential scan on its way. */
const BLOCK: usize = memory.data(144, 16);

/** The blocks of a component, with those that only fill up the last MCUs. */
function blocksOf(c: Component): u64 {
  return <u64>(Frame.mcusAcross * c.h) * <u64>(Frame.mcusDown * c.v);
}

export function layOut(): bool {
  for (let i = 0; i < Frame.components; i++) {
    const c = component(i);
    const bytes = blocksOf(c) * COEFFICIENTS_BYTES;
    c.coefficientBlocks = Frame.mcusAcross * c.h;
    c.coefficients = take(bytes);
    if (c.coefficients === 0) return false;
    memory.fill(c.coefficients, 0, <usize>bytes);
  }
  return true;
}

@inline
export function blockAt(c: Component, across: i32, down: i32): usize {
  return c.coefficients + COEFFICIENTS_BYTES * (<usize>down * c.coefficientBlocks + across);
}

/** Decodes all scans. The first one's header was read. */
export function decodeScans(end: usize): i32 {
  if (!layOut()) return NO_MEMORY;
  for (let scans = 0; scans < MOST_SCANS; scans++) {
    if (!advance()) return NOT_OURS;
    interval.start(Scan.data, end);
    const isWhole = Scan.components > 1 ? decodeInterleaved(end) : decodeAlone(scanned(0), end);
    if (!isWhole) return interval.mistake(end);
    const status = readNext(Interval.marker, end);
    if (status !== OK) return status;
    if (Marker.isEoi) return isComplete() ? OK : NOT_OURS;
  }
  return NOT_OURS;
}

/** A scan of one component: a block is an MCU (A.2.2). */
function decodeAlone(c: Component, end: usize): bool {
  for (let down = 0; down < c.blocksDown; down++) {
    for (let across = 0; across < c.blocksAcross; across++) {
      if (!interval.isGoingOn(end)) return false;
      if (!decodeInto(c, blockAt(c, across, down)) || isOverrun()) return false;
    }
  }
  return true;
}

function decodeInterleaved(end: usize): bool {
  for (let down = 0; down < Frame.mcusDown; down++) {
    for (let across = 0; across < Frame.mcusAcross; across++) {
      if (!interval.isGoingOn(end)) return false;
      for (let i = 0; i < Scan.components; i++) if (!decodeMcuOf(scanned(i), across, down)) return false;
      if (isOverrun()) return false;
    }
  }
  return true;
}

/** A component's blocks of an MCU (A.2.3). */
function decodeMcuOf(c: Component, across: i32, down: i32): bool {
  for (let v = 0; v < c.v; v++) {
    for (let h = 0; h < c.h; h++) {
      if (!decodeInto(c, blockAt(c, across * c.h + h, down * c.v + v))) return false;
    }
  }
  return true;
}

function decodeInto(c: Component, block: usize): bool {
  if (!Frame.isProgressive) return decodeSequential(c, block);
  if (Scan.ss > 0) return Scan.ah === 0 ? firstAc(c, block) : nextAc(c, block);
  if (Scan.ah === 0) return firstDc(c, block);
  nextDc(block);
  return true;
}

function decodeSequential(c: Component, block: usize): bool {
  memory.fill(BLOCK, 0, BLOCK_BYTES);
  if (decodeBlock(c, BLOCK) < 0) return false;
  fromPlaces(BLOCK, block);
  return true;
}
