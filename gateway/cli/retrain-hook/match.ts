/** Which alerts start a run: the option --on. */
import { ConfigError } from '../../config/read.ts';
import { type Alert, nameOf } from './message.ts';

export type Matches = (alert: Alert) => boolean;

/** The names that labels of Prometheus may have. */
const LABEL = /^[a-zA-Z_]\w*$/;

/**
 * Parses what --on was given: a word that the alert's name contains or that one of its labels has as its value, in upper or
 * lower case; or LABEL=VALUE, exactly. An alert has to match all of them. Throws ConfigError.
 */
export function parseMatches(given: readonly string[]): Matches {
  const all = given.map(parseMatch);
  return (alert) => all.every((matches) => matches(alert));
}

function parseMatch(text: string): Matches {
  const [label = '', ...rest] = text.split('=');
  const value = rest.join('=');
  if (rest.length === 0 && label !== '') {
    const word = label.toLowerCase();
    return (alert) =>
      nameOf(alert).toLowerCase().includes(word) ||
      Object.values(alert.labels).some((one) => one.toLowerCase() === word);
  }
  if (LABEL.test(label) && value !== '') return ({ labels }) => labels[label] === value;
  throw new ConfigError(`--on ${text}: needs part of an alert's name, a label's value, or LABEL=VALUE`);
}
