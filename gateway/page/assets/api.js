/** Calls to the gateway, with the API key of this tab. */

const KEY = 'tensorgate.key';

export const apiKey = {
  get: () => sessionStorage.getItem(KEY) ?? '',
  /** @param {string} key */
  set: (key) => (key === '' ? sessionStorage.removeItem(KEY) : sessionStorage.setItem(KEY, key)),
};

/** A refusal of the gateway in words: `title` says what is wrong, `detail` names the field and the fix. */
export class Refusal extends Error {
  /** @param {{ title: string, detail: string, status: number, id?: string, retryAfter?: string }} about */
  constructor({ title, detail, status, id = '', retryAfter = '' }) {
    super(detail);
    this.title = title;
    this.status = status;
    this.id = id;
    this.retryAfter = retryAfter;
  }
}

/**
 * Sends a request. Throws a Refusal for every answer but 2xx, and when none comes.
 * @param {string} path
 * @param {RequestInit} [options]
 */
export async function call(path, options = {}) {
  const key = apiKey.get();
  const headers = new Headers(options.headers);
  if (key !== '') headers.set('X-API-Key', key);
  const response = await fetch(path, { ...options, headers }).catch(() => {
    throw new Refusal({
      title: 'The gateway does not answer',
      detail: 'The connection failed. Check that the gateway is running, and try again.',
      status: 0,
    });
  });
  if (response.ok) return response;
  throw await refusalOf(response);
}

/** @param {Response} response */
async function refusalOf(response) {
  const text = await response.text();
  const id = response.headers.get('X-Request-Id') ?? '';
  const retryAfter = response.headers.get('Retry-After') ?? '';
  const { status } = response;
  try {
    const { title = `Status ${status}`, detail = text } = JSON.parse(text);
    return new Refusal({ title, detail, status, id, retryAfter });
  } catch {
    // A proxy in front of the gateway answers with pages of its own.
    return new Refusal({
      title: `Status ${status}`,
      detail: text.slice(0, 300) || 'The answer is empty.',
      status,
      id,
      retryAfter,
    });
  }
}
