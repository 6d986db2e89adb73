/**
 * Response heads as old servers send them, written as Node's parser takes them. The parser has one switch for all its
 * leniency (`insecureHTTPParser`), which reads less of these heads and more of the dangerous ones.
 */

/** Everything before the body: interim responses, empty lines and the final head. */
export const MAX_HEAD_BYTES = 16 * 1024;

/** A line that goes on in the next one (obs-fold). A user agent has to read it as a space (RFC 9112, 5.2). */
const FOLD = /\r?\n[ \t]+/g;
/** A field: its name is a token, and space before the colon is removed (RFC 9112, 5.1). */
const FIELD = /^([!#$%&'*+.^_`|~\w-]+)[ \t]*:[ \t]*(.*)$/s;

/** A final head in order, without its empty line. */
const TIDY = /^HTTP\/1\.[01] [2-5]\d\d(?: [^\r\n]*)?\r\n(?:[!#$%&'*+.^_`|~\w-]+:[^\r\n]*\r\n)*$/;
/** Fields that need a second look: several lengths, and `Transfer-Encoding: identity`. */
const FRAMING = /\n(?:content-length:(?:[^\n]*,|[\s\S]*\ncontent-length:)|transfer-encoding:[ \t]*identity)/i;

/** Whether the text starts with a head that the parser takes as it is. It is the usual case, and quick to see. */
export function startsTidy(bytes: Buffer): boolean {
  const end = bytes.indexOf('\r\n\r\n', 0, 'latin1');
  if (end < 0 || end > MAX_HEAD_BYTES) return false;
  const head = bytes.toString('latin1', 0, end + 2);
  return TIDY.test(head) && !FRAMING.test(head);
}

/** Every response starts with it (RFC 9112, 4). */
const START = 'HTTP/';
/** An interim response, after which the final one follows (RFC 9110, 15.2). 101 is final: the protocol ends with it. */
const INTERIM = /^HTTP\/\d\.\d 1(?!01)\d\d\b/;

/** Whether the bytes are the start of a response, or can become it. */
export const mayStartHead = (bytes: Buffer): boolean => START.startsWith(bytes.toString('latin1', 0, START.length));

export const isInterim = (head: string): boolean => INTERIM.test(head);

/**
 * A complete head, with one field on each line and CRLF at its end. Lines that are no field are left out, as curl and
 * browsers do. Everything else is left to the parser: its checks stay as strict as they are.
 */
export function tidyHead(head: string): string {
  const [statusLine = '', ...lines] = head.replace(FOLD, ' ').split(/\r?\n/);
  const fields = lines.flatMap((line) => {
    const [, name, value = ''] = FIELD.exec(line) ?? [];
    return name === undefined || isNoEncoding(name, value) ? [] : [{ name, value }];
  });
  const written = oneLength(fields).map(({ name, value }) => `${name}: ${value}`);
  return [statusLine, ...written, '', ''].join('\r\n');
}

type Field = { readonly name: string; readonly value: string };

/** `Transfer-Encoding: identity` meant "none" in RFC 2616, 3.6. */
const isNoEncoding = (name: string, value: string) =>
  /^transfer-encoding$/i.test(name) && /^identity$/i.test(value.trim());

/** The same Content-Length several times counts as one (RFC 9110, 8.6). Different ones stay, and the parser refuses them. */
function oneLength(fields: readonly Field[]): readonly Field[] {
  const isLength = ({ name }: Field) => /^content-length$/i.test(name);
  const lengths = fields.filter(isLength).flatMap(({ value }) => value.split(',').map((one) => one.trim()));
  const [length = '', ...others] = new Set(lengths);
  if (lengths.length < 2 || others.length > 0) return fields;
  return [...fields.filter((field) => !isLength(field)), { name: 'Content-Length', value: length }];
}
