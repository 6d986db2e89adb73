/** The same request as a program sends it: curl, Python (requests) and JavaScript (fetch). */

/**
 * @typedef {'curl' | 'python' | 'javascript'} Language
 * @typedef {{ origin: string, path: string, hasKey: boolean, instance: import('./predict.js').Instance }} Request
 */

/**
 * The code of a request. The API key is the variable KEY of the environment: it stays out of what people paste elsewhere.
 * @param {Language} language
 * @param {Request} request
 */
export function snippet(language, request) {
  return { curl, python, javascript }[language](request);
}

/** Text in single quotes of a shell. @param {string} text */
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** @param {import('./predict.js').Instance} instance */
const jsonOf = ({ url, json }) => (json ?? JSON.stringify({ url })).replaceAll(/\s*\n\s*/g, ' ');

/** Text in single quotes of Python and JavaScript. @param {string} text */
const literal = (text) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

/** A file's name on one line. @param {string} title */
const fileOf = (title) => (/\p{Cc}/u.test(title) ? 'photo.jpg' : title);

/** The field of a form for curl, which needs quotes for some names. @param {string} file */
const formField = (file) =>
  /^[\w.-]+$/.test(file) ? `file=@${file}` : quoted(`file=@"${file.replaceAll(/["\\]/g, '\\$&')}"`);

/** @param {Request} request */
function curl({ origin, path, hasKey, instance }) {
  const key = hasKey ? ['-H "X-API-Key: $KEY"'] : [];
  const body = instance.blob
    ? [`-F ${formField(fileOf(instance.title))}`]
    : ["-H 'Content-Type: application/json'", `-d ${quoted(jsonOf(instance))}`];
  return [`curl ${quoted(`${origin}${path}`)}`, ...key, ...body].join(' \\\n  ');
}

/** @param {Request} request */
function python({ origin, path, hasKey, instance }) {
  const headers = [
    ...(hasKey ? ["'X-API-Key': os.environ['KEY']"] : []),
    ...(instance.blob ? [] : ["'Content-Type': 'application/json'"]),
  ];
  return [
    ...(hasKey ? ['import os', ''] : []),
    'import requests',
    '',
    'response = requests.post(',
    `    ${literal(`${origin}${path}`)},`,
    ...(headers.length > 0 ? [`    headers={${headers.join(', ')}},`] : []),
    instance.blob
      ? `    files={'file': open(${literal(fileOf(instance.title))}, 'rb')},`
      : `    data=${literal(jsonOf(instance))}.encode(),`,
    ')',
    'response.raise_for_status()',
    'print(response.json())',
  ].join('\n');
}

/** @param {Request} request */
function javascript({ origin, path, hasKey, instance }) {
  const headers = [
    ...(hasKey ? ["'X-API-Key': process.env.KEY"] : []),
    instance.blob ? "'Content-Type': 'image/*'" : "'Content-Type': 'application/json'",
  ];
  return [
    ...(instance.blob ? ["import { readFile } from 'node:fs/promises';", ''] : []),
    `const response = await fetch(${literal(`${origin}${path}`)}, {`,
    "  method: 'POST',",
    `  headers: { ${headers.join(', ')} },`,
    `  body: ${instance.blob ? `await readFile(${literal(fileOf(instance.title))})` : literal(jsonOf(instance))},`,
    '});',
    'if (!response.ok) throw new Error(await response.text());',
    'console.log(await response.json());',
  ].join('\n');
}
