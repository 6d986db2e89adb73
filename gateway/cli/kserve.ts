/** The arguments that KServe appends to the container of a transformer, as settings of `serve`. */
import type { Command } from 'commander';
import { ConfigError } from '../config/read.ts';
import type { BackendProtocol } from '../domain/own-limits.ts';

/** The protocols of predictors that are called by gRPC, by their names in KServe. */
const PROTOCOLS: ReadonlyMap<string, BackendProtocol> = new Map([
  ['v1', 'tf-serving'],
  ['grpc-v2', 'open-inference'],
]);

/** KServe's own client calls this port of a host without one: the predictor's Service. */
const SERVICE_PORT = 80;

/** Adds the arguments to a command. They are not in its help: the platform writes them. */
export function addKServeArguments(command: Command): Command {
  for (const name of ['model_name', 'predictor_host', 'predictor_protocol', 'http_port', 'workers']) {
    command.addOption(command.createOption(`--${name} <value>`).hideHelp());
  }
  return command;
}

/**
 * Settings by flag name, with KServe's arguments as settings. A flag of the gateway overrides them. `workers` is for servers
 * of Python: the gateway needs no second process. Throws ConfigError for a protocol that is not spoken to model servers.
 */
export function settingsOfKServe(given: Readonly<Record<string, string>>): Record<string, string> {
  const { model_name: model, predictor_host: host, predictor_protocol: protocol, http_port: port } = given;
  const backendProtocol = PROTOCOLS.get(protocol ?? 'v1');
  if (backendProtocol === undefined) {
    const needs = 'needs v1 for TF-Serving, or grpc-v2 for Open Inference; predictors are called by gRPC';
    throw new ConfigError(`--predictor_protocol ${protocol}: ${needs}`);
  }
  const settings = {
    ...(model && { 'model-name': model }),
    ...(host && { 'tf-serving-host': /:\d+$/.test(host) ? host : `${host}:${SERVICE_PORT}` }),
    ...(protocol && { 'backend-protocol': backendProtocol }),
    ...(port && { port }),
  };
  return { ...settings, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) };
}
