/** Restart intervals (T.81 B.2.1, E.2.4). */
import * as bits from './bits';
import { component, Frame } from './frame';
import { EndOfBand } from './progressive';
import { CUT_OFF, DAMAGED } from './status';

export class Interval {
  /** Ri: MCUs in each interval; 0 for one interval. */
  static mcus: i32 = 0;
  /** MCUs left of this one. */
  static left: i32 = 0;
  /** Where in the file the marker after it is. */
  static marker: usize = 0;
  /** The number of the restart marker that is due. */
  static restart: i32 = 0;
}

/** Begins a scan's first interval. */
export function start(at: usize, end: usize): void {
  Interval.restart = 0;
  begin(at, end);
}

function begin(at: usize, end: usize): void {
  Interval.left = Interval.mcus;
  Interval.marker = bits.open(at, end);
  EndOfBand.run = 0;
  for (let i = 0; i < Frame.components; i++) component(i).predictor = 0;
}

/** What is wrong with an interval that cannot be decoded: the file ends before its bits do, or it is damaged. */
export function mistake(end: usize): i32 {
  return bits.isOverrun() && Interval.marker + 1 >= end ? CUT_OFF : DAMAGED;
}

/** The same for one that was not begun. */
export function mistakeAfter(at: usize, end: usize): i32 {
  while (at + 1 < end && (load<u8>(at) !== 0xff || load<u8>(at, 1) === 0)) at++;
  return at + 1 < end ? DAMAGED : CUT_OFF;
}

/** Called before each MCU. False if an interval is over and its restart marker does not follow. */
@inline
export function isGoingOn(end: usize): bool {
  if (Interval.mcus === 0) return true;
  if (Interval.left === 0 && !isRestarted(end)) return false;
  Interval.left--;
  return true;
}

function isRestarted(end: usize): bool {
  let at = Interval.marker;
  while (at + 1 < end && load<u8>(at, 1) === 0xff) at++;
  if (at + 1 >= end || load<u8>(at, 1) !== 0xd0 + Interval.restart) return false;
  Interval.restart = (Interval.restart + 1) & 7;
  begin(at + 2, end);
  return true;
}
