/** Starts docker-compose.yml on free ports, with a copy of the models folder. */
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

/** Runs the docker client. Resolves to its stdout. */
export async function docker(...args: readonly string[]): Promise<string> {
  return (await promisify(execFile)('docker', args, { timeout: 60_000 })).stdout.trim();
}

/** The reason why the stack cannot be started here, or undefined. */
export async function missingForStack(): Promise<string | undefined> {
  const succeeds = (...args: readonly string[]) =>
    docker(...args).then(
      () => true,
      () => false,
    );
  if (!(await succeeds('info'))) return '`docker info` does not answer';
  if (!(await succeeds('compose', 'version'))) return '`docker compose` is not installed';
  const bases = await Promise.all(['gateway/Dockerfile', 'serving/Dockerfile'].map(basesOf));
  for (const image of bases.flat()) {
    const exists = (await succeeds('image', 'inspect', image)) || (await succeeds('pull', '--quiet', image));
    if (!exists) return `the image ${image} does not exist here and cannot be pulled`;
  }
  return undefined;
}

/** The base images of a Dockerfile, in the order of its stages. */
export async function basesOf(dockerfile: string): Promise<string[]> {
  const text = await readFile(path.join(ROOT, dockerfile), 'utf8');
  return text.match(/(?<=^FROM )\S+/gm) ?? [];
}

export type Stack = {
  readonly gateway: Service;
  /** The gRPC address of TF-Serving on this machine. */
  readonly target: string;
  /** The containers' ids. */
  readonly ids: { readonly gateway: string; readonly tfServing: string };
  /** The folder mounted in both: a copy of serving/models. */
  readonly models: string;
  down(): Promise<void>;
};

/** Builds both images and starts the stack. Resolves when both are healthy. */
export async function startStack(): Promise<Stack> {
  // Ryuk is not needed, because `down` cleans up, and its image would have to be pulled.
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
    // docker-compose.yml publishes this port on loopback only.
    target: `127.0.0.1:${tfServing.getMappedPort(GRPC_PORT)}`,
    ids: { gateway: gateway.getId(), tfServing: tfServing.getId() },
    models,
    async down() {
      await environment.down({ removeVolumes: true });
      await rm(models, { recursive: true });
    },
  };
}

/** Copies serving/models into a folder that the users of the containers can read, unlike a plain temporary folder. */
async function modelsCopy(): Promise<string> {
  const models = await mkdtemp(path.join(tmpdir(), 'tensorgate-models-'));
  await cp(path.join(ROOT, 'serving/models'), models, { recursive: true });
  await chmod(models, 0o755);
  return models;
}
