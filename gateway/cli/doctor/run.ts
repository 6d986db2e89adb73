/** `tensorgate doctor URL`: checks whether a prediction can use the picture at a URL, and prints why not. */
import { readConfig } from '../../config/read.ts';
import { createOutput } from '../output.ts';
import { diagnose } from './diagnosis.ts';
import { diagnosisText } from './text.ts';

/** Prints the diagnosis. The exit code is 1 if a prediction cannot use the picture. Throws ConfigError. */
export async function runDoctor(url: string, flags: Record<string, string>, json: boolean): Promise<void> {
  const diagnosis = await diagnose(url, readConfig(flags));
  createOutput(json).result({ gets: diagnosis.failure === undefined, ...diagnosis }, diagnosisText(diagnosis));
  process.exitCode = diagnosis.failure ? 1 : 0;
}
