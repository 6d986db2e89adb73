/** The memory rule: the most memory that the settings allow, when every buffer is filled by the worst requests. */
import { decoderMemory } from './decoder-memory.ts';
import { MAX_SOURCE_CONNECTIONS } from './descriptors.ts';

/** Node, its heap, the libraries' code, the pool of unused tensors, and the buffers with a fixed bound. */
const BASE_BYTES = 180 * 2 ** 20;
/** A connection with a request whose body has not arrived: the sockets, the parser and the objects of the request. */
const CONNECTION_BYTES = 35_000;
/** A row of 299 x 299 x 3 float32, twice: the memory of a failed request waits for the garbage collector. */
const ROW_BYTES = 2 * 299 * 299 * 3 * 4;
/** Bodies of the largest size that are held at once. Answers that their clients have not taken use the same memory. */
const LARGEST_BODIES = 4;
/**
 * The thread that parses large JSON reads one body at a time. It holds the text and the strings of the largest body, at two
 * bytes for each character, and JSON_BASE_BYTES besides.
 */
const JSON_COPIES = 4;
const JSON_BASE_BYTES = 32e6;

/**
 * Downloads at once: admission lets requests wait for their sources up to three times what MAX_IN_FLIGHT and MAX_QUEUE
 * take together (`SourceLimits`), and each downloads eight images.
 */
const DOWNLOADS_PER_PLACE = 3 * 8;
/** A download: its objects, and its URL beside the text that counts as a body. Measured: 7 kB. */
const DOWNLOAD_BYTES = 8000;
/** What it takes with a connection: this and the head of the response as far as it has come. */
const SOURCE_CONNECTION_BYTES = 52_000;

export type MemorySettings = {
  readonly maxBodyBytes: number;
  readonly maxInFlight: number;
  readonly maxQueue: number;
  readonly maxInstances: number;
  readonly maxImageBytes: number;
  readonly maxOutputBytes: number;
  readonly maxImagePixels: number;
  readonly decoders: number;
  readonly maxConnections: number;
};

export type MemoryNeed = {
  /** All bodies together, from their first byte to the answer, and answers until their clients have taken them. */
  readonly bodyBytes: number;
  /** The heap of the thread that parses large JSON. */
  readonly jsonBytes: number;
  /** All fetched images together, from their first byte to the answer. */
  readonly fetchedBytes: number;
  readonly tensorBytes: number;
  /** The answers of the model servers. */
  readonly answerBytes: number;
  /** Downloads that wait for their sources. */
  readonly downloadBytes: number;
  /** Connections of clients. */
  readonly connectionBytes: number;
  /** The gateway's own process: its base and the seven above. */
  readonly gatewayBytes: number;
  /** Threads and processes: one decodes the largest picture, the others are idle. */
  readonly decoderBytes: number;
  readonly totalBytes: number;
};

/**
 * base + bodies + JSON + fetched images + downloads + a row and an answer for each image held + connections + the decoders
 * with one picture.
 */
export function memoryNeed(settings: MemorySettings): MemoryNeed {
  const { maxInFlight, maxQueue, maxInstances, maxBodyBytes, maxImageBytes, maxOutputBytes } = settings;
  const jsonBytes = JSON_COPIES * maxBodyBytes + JSON_BASE_BYTES;
  const fetchedBytes = maxInFlight * maxImageBytes;
  // A request larger than MAX_IN_FLIGHT runs alone.
  const rows = Math.max(maxInFlight, maxInstances);
  const bodyBytes = Math.max(LARGEST_BODIES * maxBodyBytes, rows * maxOutputBytes);
  const tensorBytes = rows * ROW_BYTES;
  const answerBytes = rows * maxOutputBytes;
  const downloads = (maxInFlight + maxQueue) * DOWNLOADS_PER_PLACE;
  const connected = Math.min(downloads, MAX_SOURCE_CONNECTIONS);
  const downloadBytes = downloads * DOWNLOAD_BYTES + connected * SOURCE_CONNECTION_BYTES;
  const connectionBytes = settings.maxConnections * CONNECTION_BYTES;
  const buffers = { bodyBytes, jsonBytes, fetchedBytes, downloadBytes, tensorBytes, answerBytes, connectionBytes };
  const gatewayBytes = Object.values(buffers).reduce((sum, bytes) => sum + bytes, BASE_BYTES);
  const decoderBytes = decoderMemory(settings.decoders, settings.maxImagePixels, 0).neededBytes;
  return { ...buffers, gatewayBytes, decoderBytes, totalBytes: gatewayBytes + decoderBytes };
}

/**
 * Settings that fit into `limitBytes`: first connections, so that they need a 32nd at most, then pixels, so that the
 * decoders need at most half of what is left beside the base, then images in flight. Settings that fit stay as they are.
 * `maxInFlight` is 0 where no number fits.
 */
export function affordable(settings: MemorySettings, limitBytes: number) {
  const halfBytes = (limitBytes - BASE_BYTES) / 2;
  const decodersNeed = (pixels: number) => decoderMemory(settings.decoders, pixels, 0).neededBytes;
  const maxConnections = Math.min(settings.maxConnections, Math.floor(limitBytes / 32 / CONNECTION_BYTES));
  let { maxImagePixels, maxInFlight } = settings;
  while (maxImagePixels > 1e6 && decodersNeed(maxImagePixels) > halfBytes) maxImagePixels -= 1e6;
  const needed = () => memoryNeed({ ...settings, maxConnections, maxImagePixels, maxInFlight }).totalBytes;
  while (maxInFlight > 0 && needed() > limitBytes) maxInFlight -= 1;
  return { maxConnections, maxInFlight, maxImagePixels };
}
