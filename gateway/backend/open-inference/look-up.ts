/** The RPCs that look a model up: its metadata and the state of each version. */
import { status as codes } from '@grpc/grpc-js';
import type { Backend } from '../../domain/backend.ts';
import { DEFAULT_SIGNATURE, type VersionStatus } from '../../domain/servable.ts';
import { GatewayError } from '../../errors.ts';
import { message } from '../../tensor/message.ts';
import { statusOf } from '../grpc/failure.ts';
import { createLookUpCall } from '../grpc/look-up-call.ts';
import type { Unary } from '../grpc/unary.ts';
import { type Listed, readModel, readReady } from './look-up-responses.ts';
import { createRepositoryIndex } from './repository-index.ts';
import { numberOf, type Versions } from './versions.ts';

const SERVICE = '/inference.GRPCInferenceService';

/** ModelReady is asked for so many of a model's versions, the newest. */
const MAX_VERSIONS = 32;

/** How Triton says that no version of a model can answer. Until 2022 its code was UNAVAILABLE, not NOT_FOUND. */
const NO_VERSION = /unknown model|no available versions|not at ready state/i;

/** To which server a look-up goes, and until when. */
type To = readonly [signal: AbortSignal, server: string | undefined];

/** Makes the look-up calls, which run no model. Failed RPCs throw the GatewayErrors of failure.ts. */
export function createLookUp(unary: Unary, versions: Versions): Pick<Backend, 'metadata' | 'status'> {
  const lookUp = createLookUpCall(unary);
  const call = (method: string, request: Uint8Array, ...to: To) => lookUp(`${SERVICE}/${method}`, request, ...to);

  const listVersions = createRepositoryIndex(`${SERVICE}/RepositoryIndex`, lookUp);

  const metadata: Backend['metadata'] = async (servable, signal, server) => {
    const { model, version, label } = servable;
    if (label !== undefined) throw new GatewayError('model_not_found', 'label: the model server has no labels.');
    const request = nameAndVersion(model, versions.text(servable));
    const { listed, signature } = readModel(await call('ModelMetadata', request, signal, server));
    return {
      version: version ?? (versions.read(model, listed)[0] as number),
      protocol: 'open-inference',
      signatures: new Map([[DEFAULT_SIGNATURE, signature]]),
    };
  };

  async function readyOf(model: string, version: number, ...to: To): Promise<VersionStatus> {
    const request = nameAndVersion(model, versions.text({ model, version }));
    const isReady = await call('ModelReady', request, ...to).then(readReady, (thrown: unknown) => {
      if (isWithoutVersion(thrown)) return false; // unloaded since it was listed
      throw thrown;
    });
    return { version, state: isReady ? 'AVAILABLE' : 'LOADING', error: '' };
  }

  /** The states of a model that is not ready. Empty where the server does not tell them. */
  async function unreadyOf(model: string, server: string | undefined): Promise<readonly VersionStatus[]> {
    const listed = await listVersions(model, server);
    if (listed.length === 0) return [];
    const numbers = versions.read(model, textsOf(listed));
    return numbers.map((version) => {
      const text = versions.text({ model, version });
      return statusOfListed(version, listed.find((one) => one.version === text) ?? listed[0]);
    });
  }

  /** The versions beside those that ModelMetadata has listed: they failed to load, or are loading or unloaded. */
  async function othersOf(
    model: string,
    known: readonly number[],
    server: string | undefined,
  ): Promise<readonly VersionStatus[]> {
    const listed = await listVersions(model, server);
    return listed.flatMap((one) => {
      const version = numberOf(one.version);
      return version === undefined || known.includes(version) ? [] : statusOfListed(version, one);
    });
  }

  const status: Backend['status'] = async (model, signal, server) => {
    let listed: readonly string[];
    try {
      listed = readModel(await call('ModelMetadata', nameAndVersion(model, ''), signal, server)).listed;
    } catch (thrown) {
      if (!isWithoutVersion(thrown)) throw thrown;
      const unready = await unreadyOf(model, server);
      if (unready.length > 0) return unready;
      throw asNotFound(thrown);
    }
    const numbers = versions.read(model, listed).slice(0, MAX_VERSIONS);
    const ready = await Promise.all(numbers.map((version) => readyOf(model, version, signal, server)));
    const isNumbered = numbers.some((version) => versions.text({ model, version }) !== '');
    const others = isNumbered ? await othersOf(model, numbers, server) : [];
    return [...ready, ...others].sort((one, other) => other.version - one.version);
  };

  return { metadata, status };
}

/** Triton's reason for a version that was unloaded as it should be. */
const UNLOADED = 'unloaded';

function statusOfListed(version: number, listed: Listed | undefined): VersionStatus {
  const { state = 'UNKNOWN', reason = '' } = listed ?? {};
  return { version, state, error: state === 'AVAILABLE' || reason === UNLOADED ? '' : reason };
}

function textsOf(listed: readonly Listed[]): readonly string[] {
  return listed.map(({ version }) => version);
}

/** A ModelReadyRequest or ModelMetadataRequest. */
function nameAndVersion(name: string, version: string): Uint8Array {
  return message([[1, name], ...(version === '' ? [] : ([[2, version]] as const))]);
}

/** Whether a server has answered that it has no version of the model. */
function isWithoutVersion(thrown: unknown): boolean {
  const { code, details = '' } = statusOf(thrown) ?? {};
  return code === codes.NOT_FOUND || (code === codes.UNAVAILABLE && NO_VERSION.test(details));
}

function asNotFound(thrown: unknown): GatewayError {
  return new GatewayError('model_not_found', 'model: the model server has no such model or version.', {
    cause: thrown,
  });
}
