/** The body of a prediction request, from what the caller has. */
import type { Instance, Picture, Record } from './schema.ts';

/** The bytes of an encoded picture. Blob includes File, and ArrayBufferView Node's Buffer. */
export type Upload = Blob | ArrayBuffer | ArrayBufferView;

/** A picture by its URL, as bytes, or as an instance of JSON. */
export type PictureInput = string | URL | Upload | Picture;

/** Several pictures as bytes, or any instances of JSON. */
export type ManyInput = readonly Upload[] | { readonly instances: readonly (Picture | Instance)[] };

export type Input = PictureInput | Record | ManyInput;

export type Body = {
  readonly body: NonNullable<RequestInit['body']>;
  /** None for a form: fetch writes it, with the boundary of the parts. */
  readonly contentType?: string;
};

/** The body as docs/requests.md describes it. Throws TypeError for a list that is empty or has anything but bytes. */
export function bodyOf(input: Input): Body {
  if (typeof input === 'string' || input instanceof URL) return json({ url: String(input) });
  if (isUpload(input)) return { body: blobOf(input), contentType: typeOf(input) };
  if (!Array.isArray(input)) return json(input);
  if (input.length === 0 || !input.every(isUpload)) {
    throw new TypeError('a list needs Blobs, Files or bytes; send other instances as { instances: […] }');
  }
  const form = new FormData();
  for (const [index, upload] of input.entries()) form.append('file', blobOf(upload), nameOf(upload, index));
  return { body: form };
}

function json(value: unknown): Body {
  return { body: JSON.stringify(value), contentType: 'application/json' };
}

function isUpload(value: unknown): value is Upload {
  return value instanceof Blob || value instanceof ArrayBuffer || ArrayBuffer.isView(value);
}

// A Blob copies the bytes: the caller's may change while a retry waits. The types know no Blob of shared memory.
const blobOf = (upload: Upload) => (upload instanceof Blob ? upload : new Blob([upload as ArrayBuffer]));

/** The gateway finds the format of a picture in its bytes. Only a type that is no picture's would mislead it. */
const typeOf = (upload: Upload) =>
  upload instanceof Blob && upload.type.startsWith('image/') ? upload.type : 'application/octet-stream';

const nameOf = (upload: Upload, index: number) => ('name' in upload ? String(upload.name) : `picture-${index}`);
