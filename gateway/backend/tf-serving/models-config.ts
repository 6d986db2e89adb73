/** Reads models.config and edits its labels: a ModelServerConfig of TF-Serving in protobuf's text format. */
import { type Field, parseFields } from './text-fields.ts';

/** The new version of each label; undefined removes the label. */
export type LabelChanges = ReadonlyMap<string, number | undefined>;

const KEEP_ALL = 'model_version_policy { all {} }';

type Edit = { readonly start: number; readonly end: number; readonly text: string };

/** The labels of a model and their versions. Empty for a model that is not listed. Throws SyntaxError with the line. */
export function readLabels(text: string, model: string): Map<string, number> {
  const labels = childrenOf(findModel(text, model), 'version_labels').map(
    (label) => [wordOf(label, 'key'), Number(wordOf(label, 'value'))] as const,
  );
  return new Map(labels);
}

/**
 * A model's `model_version_policy` in its shortest form; undefined without one. TF-Serving's default is the latest
 * version. Throws SyntaxError with the line.
 */
export function readPolicy(text: string, model: string): string | undefined {
  const [policy] = childrenOf(findModel(text, model), 'model_version_policy');
  if (!policy) return undefined;
  const [specific] = childrenOf(policy, 'specific');
  const [latest] = childrenOf(policy, 'latest');
  const versions = numbersOf(specific, 'versions').map((version) => `versions: ${version}`);
  if (specific) return `model_version_policy { specific { ${versions.join(' ')} } }`;
  if (childrenOf(policy, 'all').length > 0) return KEEP_ALL;
  const [count = 1] = numbersOf(latest, 'num_versions');
  return `model_version_policy { latest { num_versions: ${count} } }`;
}

/** The base paths of all listed models. Throws SyntaxError with the line. */
export function readBasePaths(text: string): string[] {
  return configsIn(text).map((config) => wordOf(config, 'base_path'));
}

/**
 * Changes the labels of a listed model and keeps every other byte, comments included. Labelled versions must stay
 * loaded. The policy `latest`, TF-Serving's default, would unload them after a later push: it becomes `all`. The policy
 * `specific` is the operator's choice and stays. Throws SyntaxError if it does not load a labelled version.
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
  if (labelled.length > 0 && !loadsAll(policy, labelled)) {
    if (policy) edits.push({ start: policy.start, end: policy.end, text: KEEP_ALL });
    else added.unshift(KEEP_ALL);
  }
  edits.push(insertion(text, config, added));
  return edits.sort((a, b) => b.start - a.start).reduce(apply, text);
}

/** Whether a policy keeps these versions loaded. Throws SyntaxError if `specific` does not list one. */
function loadsAll(policy: Field | undefined, versions: readonly number[]): boolean {
  const [specific] = childrenOf(policy, 'specific');
  if (specific === undefined) return childrenOf(policy, 'all').length > 0;
  const loaded = numbersOf(specific, 'versions');
  const missing = versions.find((version) => !loaded.includes(version));
  if (missing === undefined) return true;
  throw new SyntaxError(`the model_version_policy does not load version ${missing}: add it there, or make it all {}`);
}

function apply(text: string, edit: Edit): string {
  return text.slice(0, edit.start) + edit.text + text.slice(edit.end);
}

/** Removes a field, with its line if there is nothing else on it. */
function removal(text: string, { start, end }: Field): Edit {
  const lineStart = text.lastIndexOf('\n', start - 1) + 1;
  const lineEnd = text.indexOf('\n', end);
  const alone = text.slice(lineStart, start).trim() === '' && lineEnd >= 0 && text.slice(end, lineEnd).trim() === '';
  return alone ? { start: lineStart, end: lineEnd + 1, text: '' } : { start, end, text: '' };
}

/** Adds entries after a message's last field: on their own lines, with its indent, if the message has several lines. */
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
  return configsIn(text).find((config) => wordOf(config, 'name') === model);
}

function configsIn(text: string): Field[] {
  const lists = parseFields(text).filter(({ name }) => name === 'model_config_list');
  return lists.flatMap((list) => childrenOf(list, 'config'));
}

function childrenOf(field: Field | undefined, name: string): Field[] {
  return field?.children.filter((child) => child.name === name) ?? [];
}

/** Repeated or listed: `versions: 1 versions: 2` and `versions: [1, 2]`. */
function numbersOf(field: Field | undefined, name: string): number[] {
  return childrenOf(field, name).flatMap(({ value }) => value.split(' ').map(Number));
}

function wordOf(field: Field, name: string): string {
  return childrenOf(field, name)[0]?.value ?? '';
}
