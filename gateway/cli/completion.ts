/** `tensorgate completion SHELL`: completion of commands and options, made from the commands themselves. */
import type { Command } from 'commander';

/** A command by its words after `tensorgate`, such as `models push`, with what may follow it: `commands` are words, choices too. */
type Place = {
  readonly words: readonly string[];
  readonly commands: readonly Named[];
  readonly options: readonly Named[];
};
type Named = { readonly name: string; readonly description: string };

const SHELLS: Readonly<Record<string, (places: readonly Place[]) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};

/** The shells, for the argument of the command. */
export const SHELL_NAMES: readonly string[] = Object.keys(SHELLS);

/** The script for one of SHELL_NAMES. */
export const completionScript = (shell: string, program: Command): string =>
  SHELLS[shell]?.(placesOf(program, [])) ?? '';

function placesOf(command: Command, words: readonly string[]): readonly Place[] {
  const help = command.createHelp();
  const commands = help.visibleCommands(command).map((one) => ({ name: one.name(), description: one.description() }));
  const choices = command.registeredArguments.flatMap(({ argChoices, description }) =>
    (argChoices ?? []).map((name) => ({ name, description })),
  );
  const options = help
    .visibleOptions(command)
    .flatMap(({ long, description }) => (long ? [{ name: long, description }] : []));
  const below = command.commands
    .filter((one) => commands.some(({ name }) => name === one.name()))
    .flatMap((one) => placesOf(one, [...words, one.name()]));
  return [{ words, commands: [...commands, ...choices], options }, ...below];
}

/** ` models push`: what the scripts of bash and zsh collect from the command line. */
const pathOf = ({ words }: Place) => words.map((word) => ` ${word}`).join('');

const namesOf = ({ commands, options }: Place) => [...commands, ...options].map(({ name }) => name).join(' ');

/** The branches of two `case`: paths that are commands, and the words that may follow each. */
function branches(places: readonly Place[], follow: (names: string) => string): { paths: string; words: string } {
  const paths = places.filter(({ words }) => words.length > 0).map((place) => `'${pathOf(place)}'`);
  return {
    paths: paths.join('|'),
    words: places.map((place) => `    '${pathOf(place)}') ${follow(namesOf(place))} ;;`).join('\n'),
  };
}

function bashScript(places: readonly Place[]): string {
  const { paths, words } = branches(places, (names) => `names='${names}'`);
  return `# Completion of tensorgate for bash: source <(tensorgate completion bash)
_tensorgate() {
  local word place='' names=''
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$place $word" in ${paths}) place="$place $word" ;; esac
  done
  case "$place" in
${words}
  esac
  COMPREPLY=($(compgen -W "$names" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _tensorgate tensorgate
`;
}

function zshScript(places: readonly Place[]): string {
  const { paths, words } = branches(places, (names) => `compadd -- ${names}`);
  return `#compdef tensorgate
# Completion of tensorgate for zsh: source <(tensorgate completion zsh)
_tensorgate() {
  local word place=''
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "$place $word" in ${paths}) place="$place $word" ;; esac
  done
  case "$place" in
${words}
  esac
  _files
}
compdef _tensorgate tensorgate
`;
}

function fishScript(places: readonly Place[]): string {
  const lines = places.flatMap((place) => {
    const seen = place.words.map((word) => `__fish_seen_subcommand_from ${word}`);
    const none =
      place.commands.length > 0
        ? [`not __fish_seen_subcommand_from ${place.commands.map(({ name }) => name).join(' ')}`]
        : [];
    const line = (condition: readonly string[], { description }: Named, word: string) =>
      `complete -c tensorgate -n '${condition.join('; and ') || 'true'}' ${word} -d '${quoted(description)}'`;
    return [
      ...place.commands.map((one) => line([...seen, ...none], one, `-a ${one.name}`)),
      ...place.options.map((one) => line([...seen, ...none], one, `-l ${one.name.slice(2)}`)),
    ];
  });
  return `# Completion of tensorgate for fish: tensorgate completion fish | source\n${lines.join('\n')}\n`;
}

/** Text inside single quotes of fish. */
const quoted = (text: string) => text.replaceAll('\\', '\\\\').replaceAll("'", "\\'");
