import { FileProblem } from './file-problem.ts';
import { errnoOf } from './errno-of.ts';

/**
 * Makes a file system call; null when what it is about does not exist (or when it fails with one of `alsoAbsent`).
 *
 * @throws FileProblem `unreadable: NAME ERRNO` for any other failure
 */
export const unlessAbsent = <T>(name: string, call: () => T, alsoAbsent: readonly string[] = []): T | null => {
  try {
    return call();
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT' || errno === 'ENOTDIR' || alsoAbsent.includes(errno)) return null;
    throw new FileProblem(`unreadable: ${name} ${errno}`, { cause: error });
  }
};
