/** What all commands under `models` have: the settings that name the models and their servers, and --json. */
import type { Command } from 'commander';
import { readConfig } from '../../config/read.ts';
import { SETTINGS } from '../../config/schema.ts';
import { addSettings, givenSettings } from '../flags.ts';
import { createOutput } from '../output.ts';
import type { ModelsContext } from './context.ts';

/** Adds a command. */
export function add(models: Command, name: string, description: string): Command {
  const settings = SETTINGS.filter(({ key }) => /^(models|backendProtocol|tfServing.*)$/.test(key));
  return addSettings(models.command(name).description(description), settings).option('--json', 'print JSON');
}

/** What its function receives. Throws ConfigError. */
export async function contextOf(command: Command): Promise<ModelsContext> {
  const { modelsContext } = await import('./context.ts');
  return modelsContext(readConfig(givenSettings(command)), createOutput(command.opts().json === true));
}
