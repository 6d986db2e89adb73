/** The answer of a prediction on a hosting platform: always a list of predictions, in the order of the instances. */
import type { Answer } from '../../http/answer.ts';
import type { Classification } from '../../pipeline/classify.ts';
import { renderClassification } from '../../predictions/pictures.ts';
import type { RecordsForm } from '../../predictions/record-members.ts';
import type { Pictures } from '../../tensor/pictures.ts';

/** The scores of pictures by the names of the classes. */
export function renderPictures(classification: Classification, ids: Pictures['ids'], form: RecordsForm): Answer {
  return renderClassification(classification, { flat: false, format: form.format, ids });
}
