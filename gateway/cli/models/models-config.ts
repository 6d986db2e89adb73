/** models.config: TF-Serving's ModelServerConfig in protobuf's text format, whose labels are edited in place. */
import { type Field, parseFields } from './text-fields.ts';

/** A new version per label; undefined takes the label away. */
export type LabelChanges = ReadonlyMap<string, number | undefined>;

const KEEP_ALL = 'model_version_policy { all {} }';

type Edit = { readonly start: number; readonly end: number; readonly text: string };

/** The labels of a model and their versions; none for a model that is not listed. Throws a SyntaxError naming the line. */
export function readLabels(text: string, model: string): Map<string, number> {
  const labels = childrenOf(findModel(text, model), 'version_labels').map(
    (label) => [wordOf(label, 'key'), Number(wordOf(label, 'value'))] as const,
  );
  return new Map(labels);
}

/**
 * Changes the labels of a listed model; every other byte stays, comments too. Labelled versions have to stay loaded, so
 * a policy of `latest`, which is TF-Serving's default and drops them at a later push, becomes `all`; one of `specific`
 * is the operator's own choice and stays. Throws a SyntaxError where that would not load a version.
 */
export function withLabels(text: string, model: string, changes: LabelChanges): string {
  const config = findModel(text, model);
  if (config === undefined) throw new SyntaxError(`no model is named ${model}`);
  const edits: Edit[] = [];
  const added: string[] = [];
  const labels = childrenOf(config, 'version_labels');
  for (const [label, version] of changes) {
    const old = labels.find((field) => wordOf(field, 'key') === label);
    const entry = `version_labels { key: "${label}" value: ${version} }`;
    if (old && version === undefined) edits.push(removal(text, old));
    else if (old) edits.push({ start: old.start, end: old.end, text: entry });
    else if (version !== undefined) added.push(entry);
  }
  const [policy] = childrenOf(config, 'model_version_policy');
  const labelled = [...changes.values()].filter((version) => version !== undefined);
  if (labelled.length > 0 && !keeps(policy, labelled)) {
    if (policy) edits.push({ start: policy.start, end: policy.end, text: KEEP_ALL });
    else added.unshift(KEEP_ALL);
  }
  edits.push(insertion(text, config, added));
  return edits.sort((a, b) => b.start - a.start).reduce(apply, text);
}

function keeps(policy: Field | undefined, versions: readonly number[]): boolean {
  const [specific] = childrenOf(policy, 'specific');
  if (specific === undefined) return childrenOf(policy, 'all').length > 0;
  const loaded = childrenOf(specific, 'versions').flatMap(({ value }) => value.split(' ').map(Number));
  const missing = versions.find((version) => !loaded.includes(version));
  if (missing === undefined) return true;
  throw new SyntaxError(`the model_version_policy does not load version ${missing}: add it there, or make it all {}`);
}

function apply(text: string, edit: Edit): string {
  return text.slice(0, edit.start) + edit.text + text.slice(edit.end);
}

/** With its whole line where nothing else stands there. */
function removal(text: string, { start, end }: Field): Edit {
  const lineStart = text.lastIndexOf('\n', start - 1) + 1;
  const lineEnd = text.indexOf('\n', end);
  const alone = text.slice(lineStart, start).trim() === '' && lineEnd >= 0 && text.slice(end, lineEnd).trim() === '';
  return alone ? { start: lineStart, end: lineEnd + 1, text: '' } : { start, end, text: '' };
}

/** Behind the last field of a message: on lines of their own, indented as it is, where the message has several lines. */
function insertion(text: string, message: Field, entries: readonly string[]): Edit {
  const last = message.children.at(-1) ?? message;
  const lineEnd = text.indexOf('\n', last.end);
  if (lineEnd < 0 || lineEnd >= message.end)
    return at(
      last.end,
      entries.map((entry) => ` ${entry}`),
    );
  const [indent = ''] = /^[ \t]*/.exec(text.slice(text.lastIndexOf('\n', last.start - 1) + 1)) ?? [];
  return at(
    lineEnd,
    entries.map((entry) => `\n${indent}${entry}`),
  );
}

function at(position: number, lines: readonly string[]): Edit {
  return { start: position, end: position, text: lines.join('') };
}

function findModel(text: string, model: string): Field | undefined {
  const lists = parseFields(text).filter(({ name }) => name === 'model_config_list');
  return lists.flatMap((list) => childrenOf(list, 'config')).find((config) => wordOf(config, 'name') === model);
}

function childrenOf(field: Field | undefined, name: string): Field[] {
  return field?.children.filter((child) => child.name === name) ?? [];
}

function wordOf(field: Field, name: string): string {
  return childrenOf(field, name)[0]?.value ?? '';
}
