/** `tensorgate models show`: shows one version with the run, the commit and the data that it comes from. */
import { columns, sizeText } from '../output.ts';
import type { ModelsContext } from './context.ts';
import { refused } from './failure.ts';
import { findServers } from './find-servers.ts';
import { readModelFolder } from './model-folder.ts';
import { type Evaluation, readEvaluation } from './records.ts';
import { describeVersions } from './versions.ts';

/** Shows a version, or the record of a deleted one. Throws ModelsError. */
export async function runShow(model: string, version: number, context: ModelsContext): Promise<void> {
  const { models, output } = context;
  using servers = await findServers(context);
  const folder = await readModelFolder(models, model);
  const evaluation = await readEvaluation(folder.path, version);
  const reports = await servers.ask(model);
  const row = (await describeVersions(folder, models, reports)).find((one) => one.version === version);
  if (!row && !evaluation) throw refused(`${folder.path}: has no version ${version}, and no record of one`);
  const lines = [
    ['model', model],
    ['version', String(version)],
    ['folder', row ? (row.folder ?? 'none: it is on servers only') : 'deleted'],
    ...(row && row.folder !== null
      ? [
          ['size', `${sizeText(row.bytes)} in ${row.files} files`],
          ['formats', row.formats.join(' ')],
        ]
      : []),
    ['pushed', row?.pushed ?? ''],
    ['labels', row?.labels.join(' ') ?? ''],
    ...Object.entries(row?.states ?? {}).map(([address, state]) => [address, state]),
    ...evaluationLines(evaluation),
  ];
  const text = columns(
    ['', ''],
    lines.filter(([, value]) => value !== ''),
  ).trim();
  output.result({ model, ...(row ?? { version, folder: null }), evaluation: evaluation ?? null }, text);
}

/** Accuracy, the gate's decision, and the lineage without nested values such as training settings. */
function evaluationLines(evaluation: Evaluation | undefined): string[][] {
  const { test, gate, lineage } = evaluation ?? {};
  const simple = Object.entries(lineage ?? {}).filter(([, value]) => typeof value !== 'object');
  return [
    ['accuracy', test?.accuracy?.toFixed(4) ?? ''],
    ['gate', gate?.decision ?? ''],
    ...simple.map(([name, value]) => [name, String(value)]),
  ];
}
