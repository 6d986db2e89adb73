/** JSON values as TF-Serving shows them in its error texts (rapidjson's pretty writer). */
import { JsonDecimal } from '../../tensor/exact-json.ts';

const SHOWN_LENGTH = 256;
const INDENT = '    ';

/** The JSON of a value, cut at 256 characters. Objects have a line for each member, lists are on one line. */
export function shownJson(value: unknown): string {
  let text = '';
  const isFull = () => text.length >= SHOWN_LENGTH;

  function write(item: unknown, depth: number): void {
    if (isFull()) return;
    if (Array.isArray(item)) {
      text += '[';
      for (let index = 0; index < item.length && !isFull(); index += 1) {
        if (index > 0) text += ', ';
        write(item[index], depth);
      }
      text += ']';
    } else if (item instanceof JsonDecimal) text += `${Object.is(item.value, -0) ? '-' : ''}${item.value.toFixed(1)}`;
    else if (typeof item === 'object' && item !== null) writeObject(item, depth);
    else if (typeof item === 'string') text += JSON.stringify(item.slice(0, SHOWN_LENGTH));
    else text += String(item);
  }

  function writeObject(item: object, depth: number): void {
    const keys = Object.keys(item);
    if (keys.length === 0) {
      text += '{}';
      return;
    }
    const inner = `\n${INDENT.repeat(depth + 1)}`;
    text += '{';
    for (let index = 0; index < keys.length && !isFull(); index += 1) {
      const key = keys[index] as string;
      text += `${index > 0 ? ',' : ''}${inner}${JSON.stringify(key)}: `;
      write(item[key as keyof typeof item], depth + 1);
    }
    text += `\n${INDENT.repeat(depth)}}`;
  }

  write(value, 0);
  return text.slice(0, SHOWN_LENGTH);
}

/** The name of a value's JSON type. */
export function jsonType(value: unknown): string {
  if (value === null) return 'Null';
  if (value === true) return 'True';
  if (value === false) return 'False';
  if (Array.isArray(value)) return 'Array';
  if (typeof value === 'string') return 'String';
  return typeof value === 'object' && !(value instanceof JsonDecimal) ? 'Object' : 'Number';
}
