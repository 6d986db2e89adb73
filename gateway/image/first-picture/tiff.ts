/** Cuts a TIFF after its first directory (TIFF 6.0, section 2). */

const ENTRY_BYTES = 12;

/** Returns a TIFF whose first directory is the last one. libvips walks all of them before it decodes one. */
export function firstDirectory(bytes: Uint8Array): Uint8Array {
  const cut = new Uint8Array(bytes);
  const view = new DataView(cut.buffer);
  const littleEndian = bytes[0] === 0x49;
  const directory = view.getUint32(4, littleEndian);
  const next = directory + 2 + ENTRY_BYTES * view.getUint16(directory, littleEndian);
  // Pillow reads a directory whose end is cut off.
  if (next + 4 <= cut.length) view.setUint32(next, 0);
  return cut;
}
