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
  /** Null for a version that is on a server only. */
  readonly folder: string | null;
  readonly withdrawn: boolean;
  /** The files that servers load: saved_model.pb, and one .onnx per signature. */
  readonly formats: readonly string[];
  readonly files: number;
  readonly bytes: number;
  /** The folder's modification time, in ISO 8601; empty without a folder. */
  readonly pushed: string;
  /** Accuracy on the test photos; null if training did not record it. */
  readonly accuracy: number | null;
  readonly labels: readonly string[];
  /** The server's state, with its error, by server address. Empty if no servers are asked. */
  readonly states: Readonly<Record<string, string>>;
};

/**
 * Every version on the disk, withdrawn ones included, and every version that a server has, lowest first. Throws `refused` for
 * unreadable files.
 */
export async function describeVersions(
  folder: ModelFolder,
  models: string,
  reports: readonly Report[],
): Promise<VersionRow[]> {
  const labels = [...(await labelsOf(models, folder.name))];
  const onDisk = new Map([...folder.withdrawn, ...folder.versions]);
  // Servers go on listing versions that they have unloaded.
  const served = reports.flatMap(({ versions }) =>
    versions.flatMap(({ version, state }) => (state === 'END' ? [] : version)),
  );
  const found = [...new Set([...onDisk.keys(), ...served])].sort((one, other) => one - other);
  const rows = found.map(async (version) => {
    const versionFolder = onDisk.get(version) ?? null;
    const files = versionFolder === null ? [] : await listVersionFiles(versionFolder);
    const evaluation = await readEvaluation(folder.path, version);
    return {
      version,
      folder: versionFolder,
      withdrawn: folder.withdrawn.has(version) && !folder.versions.has(version),
      formats: modelFiles(files),
      files: files.length,
      bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
      pushed: versionFolder === null ? '' : (await stat(versionFolder)).mtime.toISOString(),
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
