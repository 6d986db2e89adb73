/**
 * A JPEG decoder for one picture at a time, called by decoder.ts in this order: `room` for the file, `begin`, the size,
 * `select` for the tables of rows and columns, `start`, then `next` until it returns 0.
 */
import * as arena from './arena';
import * as bits from './bits';
import * as coefficients from './coefficients';
import * as colour from './colour';
import { component, Frame } from './frame';
import * as idct from './idct';
import { Columns } from './idct-columns';
import * as interval from './interval';
import { Interval } from './interval';
import { Marker, readFirst, readNext } from './markers';
import * as mcuRow from './mcu-row';
import * as pixels from './pixels';
import { Rows } from './pixels';
import { Scan } from './scan';
import * as selection from './selection';
import { Selection } from './selection';
import { CUT_OFF, DAMAGED, NO_MEMORY, NOT_OURS, OK } from './status';
import * as upsample from './upsample';
import * as zigzag from './zigzag';

zigzag.initialise();
colour.initialise();
idct.initialise();
upsample.initialise();

/** Rows are given out in parts of so many bytes, or of two rows: they are still in a core's cache when they are read. */
const WINDOW_BYTES: i32 = 65536;
/** Columns and rows that may be asked for: far more than models see. */
const MOST_SELECTED: i32 = 1 << 20;
/** What loads may read behind the file. */
const FILE_SLACK: u64 = 64;

class Picture {
  static file: usize = 0;
  static end: usize = 0;
  static status: i32 = OK;
  /** Whether all scans are decoded before the first row. */
  static isKept: bool = false;
  /** Rows of MCUs decoded, and the rows of pixels that are whole by them. */
  static mcuRows: i32 = 0;
  static whole: i32 = 0;
  static isEnded: bool = false;
  /** Output rows given out; the window, and how many rows it holds and can hold. */
  static given: i32 = 0;
  static window: usize = 0;
  static filled: i32 = 0;
  static capacity: i32 = 0;
}

/** Begins a file of so many bytes. Returns where it goes, or 0 if there is no memory. */
export function room(bytes: u32): usize {
  arena.start();
  Picture.file = arena.take(bytes + FILE_SLACK);
  Picture.end = Picture.file + bytes;
  return Picture.file;
}

/** Reads the file up to its first scan. */
export function begin(): i32 {
  const status = readFirst(Picture.file, Picture.end);
  if (status !== OK) return status;
  Picture.isKept = Frame.isProgressive || Scan.components < Frame.components;
  return isImpossible() ? interval.mistakeAfter(Scan.data, Picture.end) : OK;
}

/** Each block of the first scan takes a bit, or two with AC. A file that is shorter declares a size to waste memory. */
function isImpossible(): bool {
  let blocks: u64 = 0;
  for (let i = 0; i < Frame.components; i++) {
    const c = component(i);
    if (!Picture.isKept) blocks += <u64>Frame.mcusAcross * c.h * Frame.mcusDown * c.v;
    else if (i === 0 || Scan.components > 1) blocks += <u64>c.blocksAcross * c.blocksDown;
  }
  return blocks * (Frame.isProgressive ? 1 : 2) > <u64>(Picture.end - Scan.data) * 8;
}

export function width(): i32 {
  return Frame.width;
}

export function height(): i32 {
  return Frame.height;
}

/** 1 for gray pictures, 3 for colour. */
export function components(): i32 {
  return Frame.components;
}

/** Whether the picture has several scans, so that its coefficients are kept: two bytes for each. */
export function isKept(): bool {
  return Picture.isKept;
}

/** Makes room for so many columns and rows of one channel (gray) or three (RGB). */
export function select(columns: i32, rows: i32, channels: i32): i32 {
  if (columns < 1 || rows < 1 || (channels !== 1 && channels !== 3)) return NOT_OURS;
  if (columns > MOST_SELECTED || rows > MOST_SELECTED) return NO_MEMORY;
  const rowBytes = columns * channels;
  Picture.capacity = max(2, (WINDOW_BYTES / rowBytes) & ~1); // even, so that parts begin at even numbers of samples
  if (!selection.layOut(columns, rows) || !mcuRow.layOut() || !pixels.layOut(channels)) return NO_MEMORY;
  Picture.window = arena.take(<u64>Picture.capacity * rowBytes + colour.OVERSHOOT);
  const scanBytes = Picture.end - Scan.data;
  const copy = arena.take(bits.copyBytes(scanBytes));
  if (Picture.window === 0 || copy === 0) return NO_MEMORY;
  bits.placeCopy(copy, scanBytes);
  return OK;
}

/** Where the caller writes the picture's column of each output column, ascending; and the same for rows. */
export function columnTable(): usize {
  return Selection.columnOf;
}

export function rowTable(): usize {
  return Selection.rowOf;
}

/** Begins to decode, once the tables are written. */
export function start(): i32 {
  selection.choose();
  Picture.mcuRows = 0;
  Picture.whole = 0;
  Picture.given = 0;
  Picture.isEnded = false;
  Columns.isBeyond = 0;
  if (Picture.isKept) Picture.status = coefficients.decodeScans(Picture.end);
  else interval.start(Scan.data, Picture.end);
  return Picture.isKept ? Picture.status : OK;
}

/** Decodes until the window is full or the picture ends. Returns how many rows it holds; 0 at the end: see `status`. */
export function next(): i32 {
  Picture.filled = 0;
  while (true) {
    giveOut();
    if (Picture.filled === Picture.capacity) return Picture.filled;
    if (Picture.mcuRows === Frame.mcusDown) break;
    Picture.status = decodeRow();
    if (Picture.status !== OK) return 0;
  }
  if (!Picture.isEnded) Picture.status = finish();
  return Picture.status === OK ? Picture.filled : 0;
}

export function status(): i32 {
  return Picture.status;
}

export function window(): usize {
  return Picture.window;
}

function decodeRow(): i32 {
  const row = Picture.mcuRows;
  if (row > 0) pixels.keepLastRows();
  if (Picture.isKept) {
    mcuRow.transformKept(row);
  } else {
    const status = mcuRow.decode(row, Picture.end);
    if (status !== OK) return status;
  }
  pixels.repeatOuterRows(row);
  Picture.mcuRows = row + 1;
  // the last row of luma waits for the chroma row below it
  const bottom = Picture.mcuRows * Frame.mcuHeight - (Rows.isAnyTall ? 1 : 0);
  Picture.whole = Picture.mcuRows === Frame.mcusDown ? Frame.height : bottom;
  return OK;
}

/** Writes the output rows that are whole into the window. */
function giveOut(): void {
  const top = (Picture.mcuRows - 1) * Frame.mcuHeight;
  const rowBytes = <usize>(Selection.columns * Rows.channels);
  while (Picture.given < Selection.rows && Picture.filled < Picture.capacity) {
    const source = load<i32>(Selection.rowOf + (<usize>Picture.given << 2));
    if (source >= Picture.whole) return;
    const to = Picture.window + <usize>Picture.filled * rowBytes;
    const isSame = Picture.filled > 0 && load<i32>(Selection.rowOf + (<usize>Picture.given << 2) - 4) === source;
    if (isSame) memory.copy(to, to - rowBytes, rowBytes);
    else pixels.writeRow(source - top, to);
    Picture.given++;
    Picture.filled++;
  }
}

/** After the last row: sound coefficients, and nothing but the end of the picture behind the scan. */
function finish(): i32 {
  Picture.isEnded = true;
  if (Columns.isBeyond) return DAMAGED;
  if (Picture.isKept) return OK;
  const status = readNext(Interval.marker, Picture.end);
  if (status === CUT_OFF) return DAMAGED; // but for the end it is all there
  return status !== OK ? status : Marker.isEoi ? OK : NOT_OURS;
}
