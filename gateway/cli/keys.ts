/** `tensorgate keys new NAME`: makes an API key and its entry for API_KEYS_FILE. */
import { makeKey } from '../access/keys.ts';
import { checked } from '../wiring/settings.ts';

/**
 * Prints the entry on stdout, to be appended with `>> keys.yaml`, and the key on stderr. The key is not stored.
 * Throws ConfigError for an invalid name.
 */
export function printNewKey(name: string): void {
  const { key, entry } = checked(() => makeKey(name));
  process.stderr.write(`The key of ${name}; it is shown only now:\n\n  ${key}\n\nIts entry for API_KEYS_FILE:\n\n`);
  process.stdout.write(entry);
}
