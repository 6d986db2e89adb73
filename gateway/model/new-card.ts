/** The text of a new model.yaml. */
import type { Field } from './card-fields/field.ts';
import { FIELDS } from './card-fields.ts';

export type CardKind = NonNullable<Field['of']>;

const HEADS: Readonly<Record<CardKind, string>> = {
  images:
    'How a picture becomes the input of the model, and what its output means: as in training, else scores are wrong.',
  tables:
    'What the records and the predictions of the model are called. Its inputs and outputs come from its signature.',
};

/** A valid model.yaml with all fields of the kind and their meaning. Fields that few models need are comments. */
export function newCardText(name: string, kind: CardKind = 'images'): string {
  const entries = Object.entries(FIELDS).flatMap(([path, field]) => {
    const [part = '', key] = path.split('.');
    if ((FIELDS[part]?.of ?? kind) !== kind) return [];
    const { meaning, example, isRare } = field;
    // The example of a rare part has its fields.
    if (key !== undefined && FIELDS[part]?.isRare) return [];
    const isComment = isRare || (kind === 'tables' && path !== 'name');
    const indent = key === undefined ? '' : '  ';
    const value = path === 'image' ? '' : ` ${path === 'name' ? name : example}`;
    return `${indent}# ${meaning}\n${indent}${isComment ? '# ' : ''}${key ?? part}:${value}\n`;
  });
  const head = `# ${HEADS[kind]}
# docs/model-yaml.md explains every value. Check this file with: tensorgate models check FOLDER
`;
  return head + entries.join('');
}
