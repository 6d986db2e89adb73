/** Collects what is known of a model's versions: from the disk, from training, and from the servers. */
import { stat } from 'node:fs/promises';
import type { VersionStatus } from '../../domain/servable.ts';
import { labelsOf } from './labels.ts';
import type { ModelFolder } from './model-folder.ts';
import { readEvaluation } from './records.ts';
import type { Report } from './servers.ts';
import { listVersionFiles, modelFiles } from './version-files.ts';

export type VersionRow = {
  readonly version: number;
  readonly folder: string;
  readonly withdrawn: boolean;
  /** The files that servers load: saved_model.pb, and one .onnx per signature. */
  readonly formats: readonly string[];
  readonly files: number;
  readonly bytes: number;
  /** The folder's modification time, in ISO 8601. */
  readonly pushed: string;
  /** Accuracy on the test photos; null if training did not record it. */
  readonly accuracy: number | null;
  readonly labels: readonly string[];
  /** TF-Serving's state, with its error, by server address. Empty if no servers are asked. */
  readonly states: Readonly<Record<string, string>>;
};

/** Every version on the disk, withdrawn ones included, lowest first. Throws `refused` for unreadable files. */
export async function describeVersions(
  folder: ModelFolder,
  models: string,
  reports: readonly Report[],
): Promise<VersionRow[]> {
  const labels = [...(await labelsOf(models, folder.name))];
  const found = [...folder.versions, ...folder.withdrawn].sort(([a], [b]) => a - b);
  const rows = found.map(async ([version, versionFolder]) => {
    const files = await listVersionFiles(versionFolder);
    const evaluation = await readEvaluation(folder.path, version);
    return {
      version,
      folder: versionFolder,
      withdrawn: folder.withdrawn.get(version) === versionFolder,
      formats: modelFiles(files),
      files: files.length,
      bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
      pushed: (await stat(versionFolder)).mtime.toISOString(),
      accuracy: evaluation?.test?.accuracy ?? null,
      labels: labels.filter(([, labelled]) => labelled === version).map(([label]) => label),
      states: Object.fromEntries(reports.map((report) => [report.address, stateText(report, version)])),
    };
  });
  return Promise.all(rows);
}

function stateText({ versions, trouble }: Report, version: number): string {
  if (trouble !== undefined) return trouble;
  const found = versions.find((one: VersionStatus) => one.version === version);
  return found ? `${found.state}${found.error && `: ${found.error}`}` : 'not seen';
}
