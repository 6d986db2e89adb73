/** The text of docs/model-yaml-fields.md: every field of model.yaml, by the table that also makes the texts of its errors. */
import { FIELDS } from '../gateway/model/card-fields.ts';
import { table } from './table.ts';

const MODELS = { images: 'pictures', tables: 'tables' };

export function modelYamlFieldsPage(): string {
  const rows = Object.entries(FIELDS).map(([path, { takes, example, meaning, isRare }]) => [
    `\`${path}\``,
    takes,
    `\`${example}\``,
    modelsOf(path),
    `${meaning}${isRare ? '' : ' *Usual.*'}`,
  ]);
  return `# Fields of model.yaml

All fields, in the order of a new file. [model.yaml](model-yaml.md) explains how they work together. The example is the default, where there is
one. Fields that are not marked *usual* are rarely needed. An unknown field is a mistake, and \`tensorgate models check\` says the nearest right
one.

${table(['field', 'takes', 'example', 'for', 'what it means'], rows)}
`;
}

/** A field of a part is for the models of its part. */
function modelsOf(path: string): string {
  const [part = ''] = path.split('.');
  const kind = FIELDS[path]?.of ?? FIELDS[part]?.of;
  return kind === undefined ? 'all' : MODELS[kind];
}
