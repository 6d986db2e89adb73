/** Reads the segments between the scans (T.81 annex B). */
import * as frame from './frame';
import { component, Frame } from './frame';
import * as huffman from './huffman';
import { Interval } from './interval';
import * as quantization from './quantization';
import * as scan from './scan';
import { Scan } from './scan';
import { CUT_OFF, DAMAGED, NOT_OURS, OK } from './status';

const SOF0: i32 = 0xc0;
const SOF2: i32 = 0xc2;
const DHT: i32 = 0xc4;
const SOF15: i32 = 0xcf;
const SOI: i32 = 0xd8;
const EOI: i32 = 0xd9;
const SOS: i32 = 0xda;
const DQT: i32 = 0xdb;
const DRI: i32 = 0xdd;
const APP0: i32 = 0xe0;
const APP14: i32 = 0xee;
const APP15: i32 = 0xef;
const COM: i32 = 0xfe;

/** As many as the gateway reads of any file (MAX_PARTS of header/header.ts). */
const MOST_SEGMENTS: i32 = 16384;

export class Marker {
  static segments: i32 = 0;
  /** The last one read: SOS or EOI. */
  static isEoi: bool = false;
  /** Whether an APP0 segment of JFIF was there; the transform of an Adobe segment, or -1. */
  static isJfif: bool = false;
  static adobe: i32 = -1;
}

/** Begins a file, up to its first scan. */
export function readFirst(at: usize, end: usize): i32 {
  if (end - at < 2 || load<u16>(at) !== ((SOI << 8) | 0xff)) return DAMAGED;
  huffman.forget();
  quantization.forget();
  Marker.segments = 0;
  Marker.isJfif = false;
  Marker.adobe = -1;
  Frame.components = 0;
  Interval.mcus = 0;
  const status = readNext(at + 2, end);
  if (status !== OK) return status;
  if (Marker.isEoi) return DAMAGED;
  return Frame.components === 1 || isYCbCr() ? OK : NOT_OURS;
}

/** Reads all segments up to the next scan's data or to the end of the picture. */
export function readNext(at: usize, end: usize): i32 {
  while (true) {
    if (at >= end) return CUT_OFF;
    if (load<u8>(at) !== 0xff) return DAMAGED;
    while (at < end && load<u8>(at) === 0xff) at++; // fill bytes, B.1.1.2
    if (at >= end) return CUT_OFF;
    const marker = <i32>load<u8>(at++);
    Marker.isEoi = marker === EOI;
    if (Marker.isEoi) return OK;
    if (marker < SOF0 || (marker >= 0xd0 && marker <= SOI)) return DAMAGED;
    if (end - at < 2) return CUT_OFF;
    const length = <i32>bswap<u16>(load<u16>(at));
    if (length < 2) return DAMAGED;
    if (<usize>length > end - at) return CUT_OFF;
    if (++Marker.segments > MOST_SEGMENTS) return NOT_OURS;
    const status = segment(marker, at + 2, length - 2);
    if (status !== OK) return status;
    at += length;
    if (marker === SOS) {
      Scan.data = at;
      return OK;
    }
  }
}

function segment(marker: i32, at: usize, length: i32): i32 {
  if (marker <= SOF2) return frame.read(at, length, marker === SOF2);
  if (marker === DHT) return huffman.read(at, length);
  if (marker <= SOF15) return NOT_OURS;
  if (marker === SOS) return scan.read(at, length);
  if (marker === DQT) return quantization.read(at, length);
  if (marker === DRI) return restartInterval(at, length);
  if (marker === APP0) return jfif(at, length);
  if (marker === APP14) return adobe(at, length);
  return (marker > APP0 && marker <= APP15) || marker === COM ? OK : NOT_OURS;
}

/** B.2.4.4 */
function restartInterval(at: usize, length: i32): i32 {
  if (length !== 2) return DAMAGED;
  Interval.mcus = bswap<u16>(load<u16>(at));
  return OK;
}

/** 'JFIF', 0. */
function jfif(at: usize, length: i32): i32 {
  if (length >= 14 && load<u32>(at) === 0x4649464a && load<u8>(at, 4) === 0) Marker.isJfif = true;
  return OK;
}

/** 'Adobe'. */
function adobe(at: usize, length: i32): i32 {
  if (length >= 12 && load<u32>(at) === 0x626f6441 && load<u8>(at, 4) === 0x65) Marker.adobe = load<u8>(at, 11);
  return OK;
}

/** As libjpeg takes three components: JFIF says YCbCr, else Adobe's transform tells it, else their identifiers. */
function isYCbCr(): bool {
  if (Marker.isJfif) return true;
  if (Marker.adobe >= 0) return Marker.adobe === 1;
  const ids = (component(0).id << 16) | (component(1).id << 8) | component(2).id;
  return ids !== 0x524742; // 'RGB'
}
