/** What the decoder answers. Whatever is not OK is left to another decoder. decode.ts has the same numbers. */
export const OK: i32 = 0;
/** A kind of JPEG that is not decoded here, or a rare order of its parts. */
export const NOT_OURS: i32 = 1;
/** Against T.81. libjpeg saves a part of many such files; here they have no pixels. */
export const DAMAGED: i32 = 2;
/** The file ends before its last pixel. Pillow refuses it. */
export const CUT_OFF: i32 = 3;
/** There is no memory for it. */
export const NO_MEMORY: i32 = 4;
