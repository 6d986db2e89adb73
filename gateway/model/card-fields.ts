/** The fields of model.yaml in words: what each takes, with an example. For error texts, new files and docs. */
import { ANSWER_FIELDS } from './card-fields/answers.ts';
import type { Fields } from './card-fields/field.ts';
import { INPUT_FIELDS } from './card-fields/inputs.ts';
import { SERVER_FIELDS } from './card-fields/servers.ts';
import { VERSION_FIELDS } from './card-fields/versions.ts';

/** All fields by their path, in the order of a new file. */
export const FIELDS: Fields = { ...INPUT_FIELDS, ...ANSWER_FIELDS, ...VERSION_FIELDS, ...SERVER_FIELDS };
