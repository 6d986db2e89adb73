/** `tensorgate doctor [URL]`: checks the model servers, or whether a prediction can use the picture at a URL. */
import { readConfig } from '../../config/read.ts';
import { modelsContext } from '../models/context.ts';
import { createOutput } from '../output.ts';
import { diagnose } from './diagnosis.ts';
import { diagnoseServers } from './servers.ts';
import { serversText } from './servers-text.ts';
import { diagnosisText } from './text.ts';

/**
 * Prints the diagnosis. The exit code is 1 if a prediction cannot use the picture, or a gateway not every model. Throws
 * ConfigError, ModelCardError and ModelsError.
 */
export async function runDoctor(url: string | undefined, flags: Record<string, string>, json: boolean): Promise<void> {
  const config = readConfig(flags);
  const output = createOutput(json);
  if (url === undefined) {
    const diagnosis = await diagnoseServers(modelsContext(config, output));
    output.result({ serves: diagnosis.problems.length === 0, ...diagnosis }, serversText(diagnosis));
    process.exitCode = diagnosis.problems.length === 0 ? 0 : 1;
    return;
  }
  const diagnosis = await diagnose(url, config);
  output.result({ gets: diagnosis.failure === undefined, ...diagnosis }, diagnosisText(diagnosis));
  process.exitCode = diagnosis.failure ? 1 : 0;
}
