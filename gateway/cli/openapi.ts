/** `tensorgate openapi`: prints the document that a gateway with these settings serves at /openapi.json. */
import { readConfig } from '../config/read.ts';
import { describeAdminPort, describeService } from '../wiring/openapi/document.ts';

/** Prints the document of PORT, or that of ADMIN_PORT. Throws ConfigError for a setting that is not valid. */
export function printDocument(flags: Record<string, string>, ofAdminPort: boolean): void {
  const document = ofAdminPort ? describeAdminPort() : describeService(readConfig(flags));
  process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
}
