/** Google Cloud Storage: objects by its JSON API, with a token of the Application Default Credentials. */
import type { Store } from './store.ts';
import { type BucketObject, encodeSegment } from './url.ts';

const ENDPOINT = 'https://storage.googleapis.com';
const SCOPE = 'https://www.googleapis.com/auth/devstorage.read_only';

/** Creates the store. Starts loading the client at once, so that the first request does not wait for it. */
export function createGcsStore(emulator?: URL): Store {
  const tokens = emulator ? undefined : loadTokens();
  const origin = emulator?.origin;
  return {
    async request(object) {
      const url = new URL(gcsAddressOf(object, origin));
      if (!tokens) return { url, headers: {} };
      const token = await (await tokens).getAccessToken();
      if (!token) throw new Error('the platform gave no access token');
      return { url, headers: { authorization: `Bearer ${token}` } };
    },
    isElsewhere: () => false,
  };
}

/** The address of an object's bytes. The name is one segment of the path, its slashes encoded. */
export function gcsAddressOf({ bucket, name }: BucketObject, origin = ENDPOINT): string {
  return `${origin}/storage/v1/b/${encodeSegment(bucket)}/o/${encodeSegment(name)}?alt=media`;
}

/**
 * Google's client for credentials: GOOGLE_APPLICATION_CREDENTIALS, gcloud's own file, or the metadata server. It keeps
 * the token until shortly before it expires.
 */
async function loadTokens(): Promise<{ getAccessToken(): Promise<string | null | undefined> }> {
  const { GoogleAuth } = await import('google-auth-library');
  // An object is read without a project. Unless one is given, the client would ask Google for it.
  return new GoogleAuth({ scopes: [SCOPE], projectId: 'none' });
}
