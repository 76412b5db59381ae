import { join } from 'node:path';
import { goBinary } from '../support/go-binary.ts';
import { runTool } from '../support/run-tool.ts';
import { type StartedProgram, startExecutable } from './programs.ts';

const SOURCE = join(import.meta.dirname, 'peer-go', 'main.go');

/** The same webhook in Go. It is measured in turn with the others where a Go toolchain is installed. */
export interface Peer {
  start(port: number, directory: string): StartedProgram;
}

/**
 * Compiles it; null where there is no Go toolchain.
 *
 * @param folder where the executable goes
 */
export const buildPeer = async (folder: string): Promise<Peer | null> => {
  const go = goBinary();
  if (go === null) return null;
  const program = join(folder, 'peer-go');
  await runTool(go, 'build', '-o', program, SOURCE);
  return {
    // One core, as a container with a CPU limit of 1 has since Go 1.25.
    start: (port, directory) => startExecutable(program, [String(port), directory], { GOMAXPROCS: '1' }),
  };
};
