/** `tensorgate keys new NAME`: makes an API key and its entry for API_KEYS_FILE. */
import { makeKey } from '../access/keys.ts';
import { ConfigError } from '../config.ts';

/**
 * Prints the entry on stdout, to be appended with `>> keys.yaml`, and the key on stderr. The key is not stored.
 * Throws ConfigError for an invalid name.
 */
export function printNewKey(name: string): void {
  const { key, entry } = newKey(name);
  process.stderr.write(`The key of ${name}; it is shown only now:\n\n  ${key}\n\nIts entry for API_KEYS_FILE:\n\n`);
  process.stdout.write(entry);
}

function newKey(name: string) {
  try {
    return makeKey(name);
  } catch (error) {
    throw new ConfigError((error as Error).message, { cause: error });
  }
}
