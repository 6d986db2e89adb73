/** The embedded model server: TF-Serving's gRPC API, flags and model life cycle on ONNX Runtime. */

import { availableParallelism } from 'node:os';
import { missingOnnxRuntime } from '../../gateway/machine/onnx-runtime.ts';
import { readBatchingParameters } from './batching-parameters.ts';
import { watchConfig } from './config-watch.ts';
import { type Flags, parseFlags, usage } from './flags.ts';
import { type Bound, createOnCall, drain, listenOnPort, listenOnSocket } from './grpc-server.ts';
import { Inference } from './inference.ts';
import { consoleLog } from './log.ts';
import { type ModelConfig, modelConfigs, readModelConfigFile } from './model-config.ts';
import { Models } from './models.ts';
import { loadProtocol } from './protocol.ts';
import { listenForMetrics } from './rest-port.ts';
import { Service } from './service.ts';
import { invalidArgument, StatusError } from './status.ts';

/** TF-Serving exits with -1. */
const EXIT_FAILURE = 255;
/** EX_CONFIG of sysexits.h: a restart does not help. */
const EXIT_NOT_INSTALLED = 78;

async function main(args: readonly string[]): Promise<void> {
  const { flags, unknown, errors } = parseFlags(args);
  if (errors.length > 0 || unknown[0] === '--help') {
    for (const error of errors) console.error(error);
    console.log(usage('serving/embedded/main.ts'));
    process.exit(EXIT_FAILURE);
  }
  for (const argument of unknown) console.log(`unknown argument: ${argument}`);
  const missing = missingOnnxRuntime();
  if (missing !== undefined) {
    consoleLog.error(`TF_SERVING_HOST has to name a TensorFlow Serving server, because ${missing}`);
    process.exit(EXIT_NOT_INSTALLED);
  }
  try {
    await serve(flags);
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    console.log(`Failed to start server. Error: ${error}`);
    process.exit(EXIT_FAILURE);
  }
}

/** Loads the models, then opens the ports, so that the server is ready as soon as a client can connect. Watches the list. */
async function serve(flags: Flags): Promise<void> {
  const configs = await readConfigs(flags);
  const models = new Models({
    runtime: {
      intraOpThreads: flags.tensorflow_intra_op_parallelism || availableParallelism(),
      batching: flags.enable_batching ? await readBatchingParameters(flags.batching_parameters_file) : undefined,
    },
    log: consoleLog,
    pollMs: flags.file_system_poll_wait_seconds * 1000,
    allowLabelsForUnavailable: flags.allow_version_labels_for_unavailable_models,
  });
  const protocol = loadProtocol();
  const inference = new Inference({
    models,
    maxCalls: flags.grpc_max_threads,
    asTensorContent: flags.enable_serialization_as_tensor_content,
  });
  const onCall = createOnCall({ inference, service: new Service({ models, protocol }) }, protocol);
  const servers: Bound[] = [];
  exitOnShutdown(servers);
  await models.start(configs);
  const { port, grpc_socket_path: path } = flags;
  if (port !== 0 || path === '') servers.push(await listenOnPort(onCall, flags.host, port));
  if (path !== '') servers.push(await listenOnSocket(onCall, path));
  if (flags.rest_api_port !== 0) await listenForMetrics(flags.host, flags.rest_api_port, inference.requestCounts);
  const served = configs.flatMap(({ name }) => {
    const available = models.states(name).find(([, { state }]) => state === 'AVAILABLE');
    return available ? `${name} version ${available[0]}` : [];
  });
  consoleLog.info(
    `serving ${served.join(', ') || 'no model yet'} on ${servers.map(({ address }) => address).join(' and ')}`,
  );
  process.send?.({ ready: true });
  const { model_config_file: file, model_config_file_poll_wait_seconds: pollSeconds } = flags;
  if (file !== '' && pollSeconds > 0) {
    await watchConfig({ file, first: configs, models, pollMs: pollSeconds * 1000, log: consoleLog });
  }
}

async function readConfigs(flags: Flags): Promise<ModelConfig[]> {
  if (flags.model_base_path === '' && flags.model_config_file === '') {
    throw invalidArgument('Both server_options.model_base_path and server_options.model_config_file are empty!');
  }
  if (flags.batching_parameters_file !== '' && !flags.enable_batching) {
    throw invalidArgument(
      'server_options.batching_parameters_file is set without setting server_options.enable_batching to true.',
    );
  }
  if (flags.model_config_file !== '') return readModelConfigFile(flags.model_config_file);
  return modelConfigs([{ name: flags.model_name, base_path: flags.model_base_path, model_platform: 'tensorflow' }]);
}

/** SIGTERM and SIGINT: exit after the calls in flight. Parent process gone: exit at once. */
function exitOnShutdown(servers: readonly Bound[]): void {
  const end = () => void drain(servers).then(() => process.exit(0));
  process.once('SIGTERM', end).once('SIGINT', end);
  process.once('disconnect', () => process.exit(0));
}

await main(process.argv.slice(2));
