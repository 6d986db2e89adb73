/** Instances that are pictures: {"url": …}, {"b64": …}, or nested lists of pixels beside them. */
import type { Instance } from '../../domain/picture.ts';
import type { TensorInfo } from '../../domain/tensor.ts';
import { GatewayError } from '../../errors.ts';
import { readPictures as readJsonPictures } from '../../tensor/pictures.ts';
import { readColumn } from '../../tensor/rows.ts';

/** Whether one of the instances is a picture. Lists of pixels only are tensors, as in TF-Serving. */
export function hasPictures(rows: readonly unknown[], input: TensorInfo): boolean {
  return rows.some((row) => pictureIn(valueFor(row, input)) !== undefined);
}

/** Reads each instance: a picture, or the elements of its row of the input. Throws `invalid_request` and `invalid_url`. */
export function readPictures(rows: readonly unknown[], input: TensorInfo): Instance[] {
  return rows.map((row, index): Instance => {
    const value = valueFor(row, input);
    const picture = pictureIn(value);
    const field = `instances[${index}]`;
    const [instance] = picture ? readJsonPictures([picture], () => field).instances : [];
    if (instance) return instance;
    const tensor = readColumn([value], input, (_, rest) => `${field}${rest}`);
    if ('bytes' in tensor) return { kind: 'row', bytes: tensor.bytes, field };
    throw new GatewayError('invalid_request', `${field}: expected {"url": …} or {"b64": …}`);
  });
}

/** An instance may name the input: {"image": {"b64": …}}. */
function valueFor(row: unknown, { name }: TensorInfo): unknown {
  const isNamed = typeof row === 'object' && row !== null && !Array.isArray(row) && Object.hasOwn(row, name);
  return isNamed && Object.keys(row).length === 1 ? (row as Record<string, unknown>)[name] : row;
}

function pictureIn(value: unknown): { readonly url: string } | { readonly b64: string } | undefined {
  if (typeof value !== 'object' || value === null || Object.keys(value).length !== 1) return undefined;
  if ('url' in value && typeof value.url === 'string') return { url: value.url };
  return 'b64' in value && typeof value.b64 === 'string' ? { b64: value.b64 } : undefined;
}
