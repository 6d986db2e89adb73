/** Starts docker-compose.yml as a person does, on free ports and a models folder of its own. */
import { execFile } from 'node:child_process';
import { chmod, cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { DockerComposeEnvironment, Wait } from 'testcontainers';
import type { Service } from '../gateway.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const GATEWAY_PORT = 9696;
const GRPC_PORT = 8500;
const START_TIMEOUT_MS = 120_000;

/** Runs the docker client and resolves to what it prints. */
export async function docker(...args: readonly string[]): Promise<string> {
  return (await promisify(execFile)('docker', args, { timeout: 60_000 })).stdout.trim();
}

/** Why the pair cannot be started here; undefined where it can. */
export async function whyNot(): Promise<string | undefined> {
  const answers = (...args: readonly string[]) =>
    docker(...args).then(
      () => true,
      () => false,
    );
  if (!(await answers('info'))) return '`docker info` does not answer';
  if (!(await answers('compose', 'version'))) return '`docker compose` is not installed';
  const bases = await Promise.all(['gateway/Dockerfile', 'serving/Dockerfile'].map(basesOf));
  for (const image of bases.flat()) {
    const isHere = (await answers('image', 'inspect', image)) || (await answers('pull', '--quiet', image));
    if (!isHere) return `the image ${image} is not here and cannot be pulled`;
  }
  return undefined;
}

/** The images that a Dockerfile builds on, the last one last. */
export async function basesOf(dockerfile: string): Promise<string[]> {
  const text = await readFile(path.join(ROOT, dockerfile), 'utf8');
  return text.match(/(?<=^FROM )\S+/gm) ?? [];
}

export type Stack = {
  readonly gateway: Service;
  /** TF-Serving's gRPC address for this machine. */
  readonly target: string;
  /** The containers' ids. */
  readonly ids: { readonly gateway: string; readonly tfServing: string };
  /** The folder that both have mounted: a copy of serving/models. */
  readonly models: string;
  down(): Promise<void>;
};

/** Builds both images, starts the pair, and resolves once both are healthy. */
export async function startStack(): Promise<Stack> {
  // Its helper image would have to be pulled; `down` clears up.
  process.env.TESTCONTAINERS_RYUK_DISABLED = 'true';
  const models = await modelsCopy();
  const healthy = Wait.forHealthCheck().withStartupTimeout(START_TIMEOUT_MS);
  const environment = await new DockerComposeEnvironment(ROOT, ['docker-compose.yml', 'tests/compose/limits.yml'])
    .withEnvironment({ PORT: '0', TF_SERVING_PORT: '0', MODELS: models })
    .withDefaultWaitStrategy(healthy)
    .withBuild()
    .up();
  const gateway = environment.getContainer('gateway-1');
  const tfServing = environment.getContainer('tf-serving-1');
  return {
    gateway: { url: `http://${gateway.getHost()}:${gateway.getMappedPort(GATEWAY_PORT)}` },
    // docker-compose.yml opens it to this machine alone, whatever address Docker itself goes by.
    target: `127.0.0.1:${tfServing.getMappedPort(GRPC_PORT)}`,
    ids: { gateway: gateway.getId(), tfServing: tfServing.getId() },
    models,
    async down() {
      await environment.down({ removeVolumes: true });
      await rm(models, { recursive: true });
    },
  };
}

/** Readable by the containers' users, as a checkout is and a temporary folder is not. */
async function modelsCopy(): Promise<string> {
  const models = await mkdtemp(path.join(tmpdir(), 'tensorgate-models-'));
  await cp(path.join(ROOT, 'serving/models'), models, { recursive: true });
  await chmod(models, 0o755);
  return models;
}
