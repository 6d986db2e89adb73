/** Writes tf.Example (example.proto, feature.proto): named lists of values. */
import { type Field, message, packedVarints } from './message.ts';

/** `kind` undefined: the feature is missing. */
export type Feature =
  | { readonly kind: 'bytes'; readonly values: readonly Uint8Array[] }
  | { readonly kind: 'float'; readonly values: readonly number[] }
  | { readonly kind: 'int64'; readonly values: readonly bigint[] }
  | { readonly kind: undefined; readonly values: readonly [] };

/** Serializes an Example with these features. */
export function serializeExample(features: readonly (readonly [name: string, feature: Feature])[]): Uint8Array {
  const entries = features.map(
    ([name, feature]): Field => [
      1,
      message([
        [1, name],
        [2, message(listOf(feature))],
      ]),
    ],
  );
  return message([[1, message(entries)]]);
}

/** The list of a Feature. Numbers are packed. */
function listOf(feature: Feature): Field[] {
  switch (feature.kind) {
    case 'bytes':
      return [[1, message(feature.values.map((value) => [1, value]))]];
    case 'float':
      return [[2, message([[1, new Uint8Array(Float32Array.from(feature.values).buffer)]])]];
    case 'int64':
      return [[3, message([[1, packedVarints(feature.values)]])]];
    case undefined:
      return [];
  }
}
