/** Reads the text of a model.yaml: its values, the line of each field, and its mistakes as YAML. */
import { type Document, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument, visit } from 'yaml';
import { FIELDS } from './card-fields.ts';

/** Keys and indices from the top: `['image', 'size', 0]`. */
export type Path = readonly PropertyKey[];

export type Mistake = { readonly path: Path; readonly line: number; readonly text: string };

export type CardDocument = {
  /** Undefined when the text is not YAML. */
  readonly value: unknown;
  readonly mistakes: readonly Mistake[];
  /** The line of a field, counted from 1. Of a missing field: the line of the part that lacks it. */
  lineOf(path: Path): number;
};

/** Reads YAML 1.2. A field that repeats another one is a mistake; its last value is in `value`. */
export function readCardDocument(text: string): CardDocument {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  keepText(document);
  const lineAt = (offset: number) => lines.linePos(offset).line;
  const mistakes = document.errors.map(({ code, message, pos: [offset] }) => {
    const [key] = /^[\w-]*/.exec(text.slice(offset)) ?? [];
    return {
      path: [],
      line: lineAt(offset),
      text: code === 'DUPLICATE_KEY' ? `${key} is there twice` : `not YAML: ${message}`,
    };
  });
  const lineOf = (path: Path) => lineAt(offsetOf(document, path));
  if (document.errors.some(({ code }) => code !== 'DUPLICATE_KEY')) return { value: undefined, mistakes, lineOf };
  try {
    return { value: document.toJS(), mistakes, lineOf };
  } catch (error) {
    // An alias (*name) that is unknown, or too many of them.
    const text = `not YAML: ${error instanceof Error ? error.message : error}`;
    return { value: undefined, mistakes: [...mistakes, { path: [], line: 1, text }], lineOf };
  }
}

/** Gives names the text that the file has: 00000, 1e3 and True are names of classes. */
function keepText(document: Document): void {
  for (const [path, { isText }] of Object.entries(FIELDS)) {
    const node = document.getIn(path.split('.'), true);
    if (!isText || !isNode(node)) continue;
    visit(node, {
      Scalar(_key, scalar) {
        if (typeof scalar.value !== 'string') scalar.value = scalar.source ?? '';
      },
    });
  }
}

/** Where the deepest part of the path that exists starts. */
function offsetOf({ contents }: Document, path: Path): number {
  let offset = 0;
  let node: unknown = contents;
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && key.value === step);
      if (!pair) break;
      offset = (isNode(pair.key) && pair.key.range?.[0]) || offset;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(step)];
      offset = (isNode(node) && node.range?.[0]) || offset;
    } else break;
  }
  return offset;
}
