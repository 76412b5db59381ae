import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, open, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import { corpus } from './corpus.ts';

/** What may stand in a file's place. */
export type Junk = (path: string) => Promise<unknown>;

const sparse = async (path: string, bytes: number): Promise<void> => {
  await using file = await open(path, 'w');
  await file.truncate(bytes);
};

const socket = async (path: string): Promise<void> => {
  const server = createServer().listen(path);
  await once(server, 'listening');
  server.close();
};

export const junk = {
  absent: () => Promise.resolve(),
  empty: (path) => writeFile(path, ''),
  directory: (path) => mkdir(path),
  pipe: (path) => Promise.resolve(execFileSync('mkfifo', [path])),
  socket,
  'symbolic link to itself': (path) => symlink(path, path),
  'symbolic link to nowhere': (path) => symlink('/no/such/file', path),
  'symbolic link to a device without an end': (path) => symlink('/dev/zero', path),
  'symbolic link to memory': (path) => symlink('/proc/self/mem', path),
  'symbolic link to a file of no size': (path) => symlink('/proc/self/environ', path),
  unreadable: async (path) => {
    await writeFile(path, 'x');
    await chmod(path, 0);
  },
  'sparse gigabyte': (path) => sparse(path, 2 ** 30),
  'one byte too many': (path) => sparse(path, 1024 * 1024 + 1),
  PEM: (path) => writeFile(path, corpus.good.certificate),
  key: (path) => writeFile(path, corpus.good.key),
} as const satisfies Readonly<Record<string, Junk>>;

export type JunkName = keyof typeof junk;

const kind = fc.constantFrom(...(Object.keys(junk) as JunkName[]));

export const junkDirectory = fc.record({ 'tls.crt': kind, 'tls.key': kind, 'ca.crt': kind, '..data': kind });

/** Empties the directory and puts these things there. */
export const litter = async (directory: string, names: Readonly<Record<string, JunkName>>): Promise<void> => {
  for (const name of await readdir(directory)) await rm(join(directory, name), { recursive: true, force: true });
  for (const [name, what] of Object.entries(names)) await (junk[what] as Junk)(join(directory, name));
};
