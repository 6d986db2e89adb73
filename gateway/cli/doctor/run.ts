/** `tensorgate doctor URL`: whether a prediction gets the picture there, and if not, which rule stops it. */
import { readConfig } from '../../config.ts';
import { createOutput } from '../output.ts';
import { diagnose } from './diagnosis.ts';
import { diagnosisText } from './text.ts';

/** Prints the diagnosis; the exit code is 1 where a prediction would not get its picture. Throws ConfigError. */
export async function runDoctor(url: string, flags: Record<string, string>, json: boolean): Promise<void> {
  const diagnosis = await diagnose(url, readConfig(flags));
  createOutput(json).result({ gets: diagnosis.failure === undefined, ...diagnosis }, diagnosisText(diagnosis));
  process.exitCode = diagnosis.failure ? 1 : 0;
}
