/** The text of a new model.yaml. */
import { FIELDS } from './card-fields.ts';

const HEAD = `# How a picture becomes the input of the model, and what its output means: as in training, else scores are wrong.
# docs/model-yaml.md explains every value. Check this file with: tensorgate models check FOLDER
`;

/** A valid model.yaml with all fields and their meaning. Fields that few models need are comments. */
export function newCardText(name: string): string {
  const entries = Object.entries(FIELDS).map(([path, { meaning, example, isRare }]) => {
    const indent = path.includes('.') ? '  ' : '';
    const key = path.slice(path.lastIndexOf('.') + 1);
    const value = key === 'image' ? '' : ` ${key === 'name' ? name : example}`;
    return `${indent}# ${meaning}\n${indent}${isRare ? '# ' : ''}${key}:${value}\n`;
  });
  return HEAD + entries.join('');
}
