/** Changes members of a model.yaml. All other bytes stay as they are, and so do the comments beside what changes. */
import { Document, isMap, isScalar, type Pair, parseDocument, type YAMLMap } from 'yaml';

/** `path`: a field and a member of it, or the field alone. Undefined removes it. */
export type CardChange = {
  readonly path: readonly [field: string, member?: string];
  readonly value: string | number | Readonly<Record<string, string | number>> | undefined;
};

/** The text of a model.yaml with the changes. The text is YAML that was read before. */
export function changedCard(text: string, changes: readonly CardChange[]): string {
  return changes.reduce(withChange, text);
}

/** Only the field is parsed and written anew: YAML may be written in many ways, and the rest keeps its own. */
function withChange(text: string, change: CardChange): string {
  const { contents } = parseDocument(text);
  const pair = isMap(contents) ? pairOf(contents, change.path[0]) : undefined;
  if (!pair && change.value === undefined) return text;
  if (isMap(contents) && contents.flow === true) return written(text, change);
  const [start, end] = pair ?? [text.length, text.length];
  const head = text.slice(0, start);
  return `${head}${head === '' || head.endsWith('\n') ? '' : '\n'}${written(text.slice(start, end), change)}${text.slice(end)}`;
}

/** Where a field starts and ends: its key, its value and the comments in and behind it. */
function pairOf({ items }: YAMLMap, field: string): readonly [start: number, end: number] | undefined {
  const pair = items.find(({ key }: Pair) => isScalar(key) && key.value === field);
  if (!pair) return undefined;
  const [key, value] = [pair.key, pair.value] as { readonly range?: readonly number[] | null }[];
  const start = key?.range?.[0] ?? 0;
  return [start, value?.range?.[2] ?? key?.range?.[2] ?? start];
}

/** The text of one field, or of a whole file in braces. Empty when nothing is left of the field. */
function written(part: string, { path, value }: CardChange): string {
  const document = part.trim() === '' ? new Document({}) : parseDocument(part);
  if (value === undefined) document.deleteIn(path);
  else put(document, path, value);
  const rest = document.getIn(path.slice(0, 1));
  if (isMap(rest) && rest.items.length === 0) document.deleteIn(path.slice(0, 1));
  if (isMap(document.contents) && document.contents.items.length === 0) return '';
  const [, indent = '  '] = /\n( +)\S/.exec(part) ?? [];
  const options = { indent: indent.length, lineWidth: 0, flowCollectionPadding: !/[{[][^\s}\]]/.test(part) };
  const output = document.toString(options);
  return part !== '' && !part.endsWith('\n') ? output.trimEnd() : output;
}

/** Sets the members of a map that is there one by one: each keeps its comment. */
function put(document: Document, path: CardChange['path'], value: NonNullable<CardChange['value']>): void {
  if (typeof value !== 'object') document.setIn(path, value);
  else if (isMap(document.getIn(path)))
    for (const [name, one] of Object.entries(value)) document.setIn([...path, name], one);
  else document.setIn(path, document.createNode(value, { flow: true }));
}
