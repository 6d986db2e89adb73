/** Asks every model server for the models of the folder MODELS, as a gateway with these settings would. */
import { diagnose } from '../../backend/grpc/diagnose.ts';
import { BACKEND_PROTOCOLS, type BackendProtocol, type OwnBackend } from '../../domain/own-limits.ts';
import { ModelsFolder } from '../../model/folders.ts';
import type { ModelsContext } from '../models/context.ts';
import { serversOf } from '../models/find-servers.ts';
import { openServers, type Report, UNREACHABLE } from '../models/servers.ts';

/** What one server says of one model. */
export type Answer = Report & { readonly model: string };

export type ServersDiagnosis = {
  readonly servers: readonly (OwnBackend & { readonly answers: readonly Answer[] })[];
  /** What is wrong, with the way out. Empty if a gateway can serve every model. */
  readonly problems: readonly string[];
};

/** A server is asked for it where MODELS is empty: whether it answers is what matters. */
const NO_MODEL = 'no-model';

type Group = OwnBackend & { readonly tls: ModelsContext['tls']; readonly models: string[] };

/** Asks all servers once. Throws ModelCardError if MODELS cannot be read, and `refused` for an invalid TF_SERVING_HOST. */
export async function diagnoseServers(context: ModelsContext): Promise<ServersDiagnosis> {
  const { cards, others, mistakes } = await new ModelsFolder(context.models).read();
  const names = [...cards.keys(), ...others.keys()];
  const groups = new Map<string, Group>();
  const problems = [...mistakes.values()];
  for (const model of names.length > 0 ? names : [NO_MODEL]) {
    const found = await serversOf(model, context);
    if (!found) {
      problems.push(
        `${model}: it has no model server: set TF_SERVING_HOST, or start a gateway with the embedded server`,
      );
      continue;
    }
    const { host, protocol } = found.backend;
    const group = groups.get(`${protocol} ${host}`) ?? { host, protocol, tls: found.tls, models: [] };
    groups.set(`${protocol} ${host}`, group);
    group.models.push(model);
  }
  const asked = await Promise.all(groups.values().map(askGroup));
  problems.push(...asked.flatMap((one) => one.problems));
  return { servers: asked.map(({ problems: _, ...server }) => server), problems };
}

async function askGroup({ host, protocol, tls, models }: Group) {
  const answers = await ask({ host, protocol }, tls, models);
  const problems = await troublesOf(answers, { host, protocol }, tls);
  for (const model of models.filter((name) => name !== NO_MODEL)) {
    const reports = answers.filter((one) => one.model === model && one.trouble === undefined);
    const isReady = reports.some(({ versions }) => versions.some(({ state }) => state === 'AVAILABLE'));
    if (reports.length > 0 && !isReady) problems.push(`${model}: no server has a version that is AVAILABLE`);
  }
  return { host, protocol, answers, problems };
}

/** Why servers did not answer, each reason once. */
async function troublesOf(
  answers: readonly Answer[],
  backend: OwnBackend,
  tls: ModelsContext['tls'],
): Promise<string[]> {
  const troubled = answers.filter(({ trouble }) => trouble !== undefined && trouble !== UNREACHABLE);
  const speakers = troubled.length > 0 ? await speakersOfOthers(backend, tls) : new Map<string, BackendProtocol>();
  const problems = troubled.map(({ address, trouble }) => {
    const other = speakers.get(address);
    const cure = `set BACKEND_PROTOCOL=${other}, or backend.protocol in model.yaml`;
    return `${address}: ${other ? `it speaks ${other}: ${cure}` : trouble}`;
  });
  const isUnreachable = answers.some(({ trouble }) => trouble === UNREACHABLE);
  if (isUnreachable) problems.push(`cannot be reached: ${await diagnose(backend.host, tls)}`);
  return [...new Set(problems)];
}

/** The servers that answer in another protocol than the one of the settings. */
async function speakersOfOthers(
  { host, protocol }: OwnBackend,
  tls: ModelsContext['tls'],
): Promise<ReadonlyMap<string, BackendProtocol>> {
  const speakers = new Map<string, BackendProtocol>();
  for (const other of BACKEND_PROTOCOLS.filter((one) => one !== protocol)) {
    for (const { address, trouble } of await ask({ host, protocol: other }, tls, [NO_MODEL])) {
      if (trouble === undefined) speakers.set(address, other);
    }
  }
  return speakers;
}

async function ask(backend: OwnBackend, tls: ModelsContext['tls'], models: readonly string[]): Promise<Answer[]> {
  using servers = openServers(backend, tls);
  const answers = models.map(async (model) => (await servers.ask(model)).map((report) => ({ model, ...report })));
  return (await Promise.all(answers)).flat();
}
