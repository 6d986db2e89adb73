/** Google Cloud Storage: objects by its JSON API, with a token of the Application Default Credentials. */
import type { Action, ObjectRequest, Page, Store } from './store.ts';
import { type BucketObject, encodeSegment } from './url.ts';

const ENDPOINT = 'https://storage.googleapis.com';
/** What a token allows: reading, or writing too. */
const SCOPES = {
  read: 'https://www.googleapis.com/auth/devstorage.read_only',
  write: 'https://www.googleapis.com/auth/devstorage.read_write',
} as const;

/** Creates the store. Starts loading the client at once, so that the first request does not wait for it. */
export function createGcsStore(emulator?: URL, rights: keyof typeof SCOPES = 'read'): Store {
  const tokens = emulator ? undefined : loadTokens(SCOPES[rights]);
  const origin = emulator?.origin;
  return {
    async request(object, action) {
      const call = gcsCallOf(object, action, origin);
      if (!tokens) return { ...call, headers: {} };
      const token = await (await tokens).getAccessToken();
      if (!token) throw new Error('the platform gave no access token');
      return { ...call, headers: { authorization: `Bearer ${token}` } };
    },
    pageOf: gcsPageOf,
    isElsewhere: () => false,
  };
}

/** The method and address of an action (the JSON API). A name in the path is one segment, its slashes encoded. */
export function gcsCallOf(
  { bucket, name }: BucketObject,
  action: Action = 'read',
  origin = ENDPOINT,
): Pick<ObjectRequest, 'method' | 'url'> {
  const objects = `/storage/v1/b/${encodeSegment(bucket)}/o`;
  const [segment, at] = [encodeSegment(name), (rest: string) => new URL(`${origin}${rest}`)];
  if (action === 'read') return { method: 'GET', url: at(`${objects}/${segment}?alt=media`) };
  if (action === 'write') return { method: 'POST', url: at(`/upload${objects}?uploadType=media&name=${segment}`) };
  if (action === 'remove') return { method: 'DELETE', url: at(`${objects}/${segment}`) };
  const url = at(`${objects}?prefix=${segment}&fields=items(name),nextPageToken`);
  if (action.listAfter !== '') url.searchParams.set('pageToken', action.listAfter);
  return { method: 'GET', url };
}

function gcsPageOf(text: string): Page {
  type List = { readonly items?: readonly { readonly name: string }[]; readonly nextPageToken?: string };
  const { items = [], nextPageToken } = JSON.parse(text) as List;
  return { names: items.map(({ name }) => name), next: nextPageToken };
}

/**
 * Google's client for credentials: GOOGLE_APPLICATION_CREDENTIALS, gcloud's own file, or the metadata server. It keeps
 * the token until shortly before it expires.
 */
async function loadTokens(scope: string): Promise<{ getAccessToken(): Promise<string | null | undefined> }> {
  const { GoogleAuth } = await import('google-auth-library');
  // An object is read without a project. Unless one is given, the client would ask Google for it.
  return new GoogleAuth({ scopes: [scope], projectId: 'none' });
}
