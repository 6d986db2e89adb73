import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type LabelChanges, readLabels, withLabels } from './models-config.ts';

const CONFIG = `# Models.
model_config_list {
  config {
    name: "clothes"  # first
    base_path: "/models/clothes"
    model_version_policy { all {} }
    version_labels { key: "stable" value: 1 }
  }
  config < name: 'tables' base_path: "/models/tables", model_platform: "tensorflow" >
}
`;
const STABLE = '    version_labels { key: "stable" value: 1 }\n';
const changes = (entries: Record<string, number | undefined>): LabelChanges => new Map(Object.entries(entries));

test('labels are read by model', () => {
  assert.deepEqual(readLabels(CONFIG, 'clothes'), new Map([['stable', 1]]));
  assert.deepEqual(readLabels(CONFIG, 'tables'), new Map());
  assert.deepEqual(readLabels(CONFIG, 'unknown'), new Map());
});

test('labels are moved, added and removed, and every other byte stays', () => {
  const canary = STABLE.replace('"stable" value: 1', '"canary" value: 4');
  assert.equal(withLabels(CONFIG, 'clothes', changes({ stable: 3 })), CONFIG.replace('value: 1', 'value: 3'));
  assert.equal(withLabels(CONFIG, 'clothes', changes({ stable: undefined })), CONFIG.replace(STABLE, ''));
  assert.equal(withLabels(CONFIG, 'clothes', changes({ canary: 4 })), CONFIG.replace(STABLE, STABLE + canary));
  const both = changes({ stable: undefined, canary: 4, unknown: undefined });
  assert.equal(withLabels(CONFIG, 'clothes', both), CONFIG.replace(STABLE, canary));
});

test('a model on one line gets labels, and a policy that keeps them loaded, on that line', () => {
  const added = ' model_version_policy { all {} } version_labels { key: "a.b-c" value: 2 }';
  const last = 'model_platform: "tensorflow"';
  assert.equal(withLabels(CONFIG, 'tables', changes({ 'a.b-c': 2 })), CONFIG.replace(last, last + added));
});

test('the policy latest becomes all when a label is set, and stays when one is removed', () => {
  const latest = CONFIG.replace('{ all {} }', '{ latest { num_versions: 2 } }');
  assert.equal(withLabels(latest, 'clothes', changes({ stable: 3 })), CONFIG.replace('value: 1', 'value: 3'));
  assert.equal(withLabels(latest, 'clothes', changes({ stable: undefined })), latest.replace(STABLE, ''));
});

for (const versions of ['versions: 1 versions: 3', 'versions: [1, 3]']) {
  test(`the policy specific stays, and must list a labelled version: ${versions}`, () => {
    const specific = CONFIG.replace('{ all {} }', `{ specific { ${versions} } }`);
    assert.equal(withLabels(specific, 'clothes', changes({ stable: 3 })), specific.replace('value: 1', 'value: 3'));
    assert.throws(
      () => withLabels(specific, 'clothes', changes({ stable: 2 })),
      /does not load version 2: add it there/,
    );
  });
}

for (const [name, text, message] of [
  ['a model that is not listed', 'model_config_list { }', /^no model is named clothes$/],
  ['an unclosed brace', 'model_config_list {\n config {', /^line 2: expected the name of a field, found the end$/],
  ['a missing colon', 'model_config_list { config { name "x" } }', /^line 1: expected : or \{, found "x"$/],
  ['a missing value', 'a:\n}', /^line 2: expected a value, found \}$/],
  ['an invalid character', 'a: 1\n\n%', /^line 3: unexpected "%"$/],
  ['a list of messages', 'model_config_list { config: [{ name: "x" }] }', /^line 1: expected scalars up to \]/],
] as const) {
  test(`is refused: ${name}`, () => {
    assert.throws(() => withLabels(text, 'clothes', changes({ a: 1 })), { name: 'SyntaxError', message });
  });
}
