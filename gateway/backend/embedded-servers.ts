/** Finds the embedded servers that gateways of this user run, for the commands under `tensorgate models`. */
import { lstat, readdir, readFile, realpath } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CONFIG_FILE, FOLDER_PREFIX, SOCKET_FILE } from './embedded.ts';
import { readBasePaths } from './tf-serving/models-config.ts';

/** Targets (`unix:/path`) of the running embedded servers that serve models of the folder MODELS. */
export async function findEmbedded(models: string): Promise<string[]> {
  const wanted = await real(models);
  const names = await readdir(tmpdir()).catch((): string[] => []);
  const found = names
    .filter((name) => name.startsWith(FOLDER_PREFIX))
    .map(async (name) => {
      const folder = path.join(tmpdir(), name);
      const socket = path.join(folder, SOCKET_FILE);
      const isServer = (await isOwn(folder)) && (await serves(folder, wanted)) && (await listens(socket));
      return isServer ? [`unix:${socket}`] : [];
    });
  return (await Promise.all(found)).flat();
}

/** Other users can write to the temporary folder: only this user's folders are trusted. */
async function isOwn(folder: string): Promise<boolean> {
  const about = await lstat(folder).catch(() => undefined);
  return about?.isDirectory() === true && about.uid === process.getuid?.();
}

async function serves(folder: string, models: string): Promise<boolean> {
  const text = await readFile(path.join(folder, CONFIG_FILE), 'utf8').catch(() => '');
  const parents = readBasePaths(text).map((basePath) => real(path.dirname(basePath)));
  return (await Promise.all(parents)).includes(models);
}

/** False for the folder of a gateway that was killed. */
function listens(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect(socket, () => {
      connection.destroy();
      resolve(true);
    });
    connection.once('error', () => resolve(false));
  });
}

async function real(folder: string): Promise<string> {
  return realpath(folder).catch(() => path.resolve(folder));
}
