/** Writes tf.Example (example.proto, feature.proto): named lists of values. */

/** `kind` undefined: the feature is missing. */
export type Feature =
  | { readonly kind: 'bytes'; readonly values: readonly Uint8Array[] }
  | { readonly kind: 'float'; readonly values: readonly number[] }
  | { readonly kind: 'int64'; readonly values: readonly bigint[] }
  | { readonly kind: undefined; readonly values: readonly [] };

/** Wire type LENGTH_DELIMITED. */
const LENGTH_DELIMITED = 2;

/** Serializes an Example with these features. */
export function serializeExample(features: readonly (readonly [name: string, feature: Feature])[]): Uint8Array {
  const entries = features.map(([name, feature]) =>
    field(1, field(1, Buffer.from(name)), field(2, ...featureFields(feature))),
  );
  return field(1, ...entries);
}

/** The lists of numbers are packed. */
function featureFields(feature: Feature): Buffer[] {
  switch (feature.kind) {
    case 'bytes':
      return [field(1, ...feature.values.map((value) => field(1, value)))];
    case 'float':
      return [field(2, field(1, new Uint8Array(Float32Array.from(feature.values).buffer)))];
    case 'int64':
      return [field(3, field(1, ...feature.values.map((value) => varint(BigInt.asUintN(64, value)))))];
    case undefined:
      return [];
  }
}

/** A field whose value is these bytes, one after the other. */
function field(number: number, ...parts: readonly Uint8Array[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([varint(BigInt(number * 8 + LENGTH_DELIMITED)), varint(BigInt(length)), ...parts]);
}

/** An unsigned integer in groups of seven bits, the lowest first. */
function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  return Buffer.from([...bytes, Number(rest)]);
}
