/** The command line: TF-Serving's flag names, parsed like tensorflow::Flags (--name=value, --boolean). */

type Flag = { readonly default: string | number | boolean; readonly help: string };

const FLAGS = {
  port: {
    default: 8500,
    help: 'TCP port for gRPC. 0: a free port, or no port if --grpc_socket_path is set.',
  },
  rest_api_port: { default: 0, help: 'TCP port for /monitoring/prometheus/metrics. 0: no port.' },
  host: {
    default: '127.0.0.1',
    help: 'IPv4 address to listen on. The server has no access control: 0.0.0.0 is for containers.',
  },
  grpc_socket_path: { default: '', help: 'If non-empty, listen on this UNIX socket for gRPC.' },
  model_name: { default: 'default', help: 'Name of the model (ignored if --model_config_file is set).' },
  model_base_path: {
    default: '',
    help: 'Folder with the versions (ignored if --model_config_file is set, otherwise required).',
  },
  model_config_file: { default: '', help: 'If non-empty, read a ModelServerConfig (text format) from this file.' },
  model_config_file_poll_wait_seconds: {
    default: 0,
    help: 'Seconds between reads of --model_config_file. 0: read once.',
  },
  file_system_poll_wait_seconds: { default: 1, help: 'Seconds between checks for new versions. 0: check once.' },
  allow_version_labels_for_unavailable_models: {
    default: false,
    help: 'Allow labels of versions that are not loaded yet, unless the label is in use.',
  },
  enable_batching: { default: false, help: 'Combine waiting requests into one run.' },
  batching_parameters_file: {
    default: '',
    help: 'If non-empty, read BatchingParameters (text format) from this file.',
  },
  tensorflow_intra_op_parallelism: { default: 0, help: 'Threads for one run. 0: one per CPU core.' },
  grpc_max_threads: {
    default: 64,
    help: 'Concurrent calls of Predict, Classify and Regress, queued ones included. Calls above the limit fail with RESOURCE_EXHAUSTED.',
  },
  enable_serialization_as_tensor_content: {
    default: false,
    help: 'Encode outputs as tensor_content, not as *_val fields.',
  },
} as const satisfies Record<string, Flag>;

type Name = keyof typeof FLAGS;
type ValueOf<T> = T extends number ? number : T extends boolean ? boolean : string;
export type Flags = { readonly [N in Name]: ValueOf<(typeof FLAGS)[N]['default']> };

export type CommandLine = {
  readonly flags: Flags;
  /** Arguments that are not flags of this server. They are logged and ignored. */
  readonly unknown: readonly string[];
  /** One text per value that cannot be parsed. The server must not start if there are any. */
  readonly errors: readonly string[];
};

/** Parses the arguments that follow the program's name. */
export function parseFlags(args: readonly string[]): CommandLine {
  const values: Record<string, string | number | boolean> = {};
  for (const [name, flag] of Object.entries(FLAGS)) values[name] = flag.default;
  const unknown: string[] = [];
  const errors: string[] = [];
  for (const arg of args) {
    const [, name = '', text] = /^--(\w+)(?:=(.*))?$/s.exec(arg) ?? [];
    const flag = Object.hasOwn(FLAGS, name) ? FLAGS[name as Name] : undefined;
    if (flag === undefined || (text === undefined && typeof flag.default !== 'boolean')) {
      unknown.push(arg);
      continue;
    }
    const value = readValue(flag, text);
    if (value === undefined) errors.push(`Couldn't interpret value ${text} for flag ${name}.`);
    else values[name] = value;
  }
  return { flags: values as Flags, unknown, errors };
}

function readValue(flag: Flag, text: string | undefined): string | number | boolean | undefined {
  if (typeof flag.default === 'boolean') return { true: true, false: false }[text ?? 'true'];
  if (typeof flag.default === 'string') return text;
  const isInt32 = /^-?\d{1,10}$/.test(text ?? '') && Number(text) === (Number(text) | 0);
  return isInt32 ? Number(text) : undefined;
}

/** The text of --help: every flag with its default. */
export function usage(program: string): string {
  const lines = Object.entries(FLAGS).map(([name, flag]) => {
    const value = typeof flag.default === 'string' ? `"${flag.default}"` : flag.default;
    const type = { string: 'string', number: 'int32', boolean: 'bool' }[typeof flag.default as 'string'];
    return `\t${`--${name}=${value}`.padEnd(33)}\t${type}\t${flag.help}`;
  });
  return [`usage: ${program}`, 'Flags:', ...lines, ''].join('\n');
}
