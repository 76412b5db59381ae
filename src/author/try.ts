import { basename } from 'node:path';
import { Problem } from '../../streams/problem.ts';
import type { AdmissionRequest, HandlerLog, KubeObject } from '../webhook/admission-types.ts';
import { loadHandler } from '../webhook/load-handler.ts';
import { type Answer, answerOf, describeAnswer, pathOf } from './answer.ts';
import { readObjects, requestFrom } from './review.ts';

export interface TryOptions {
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE' | null;
  /** File of the stored version, for an update. */
  readonly old: string | null;
  readonly path: string | null;
  readonly user: string | null;
  readonly json: boolean;
}

interface TryDependencies {
  readonly print: (text: string) => void;
  readonly directory: string;
}

const oldObjectOf = ({ operation, old }: TryOptions, objects: readonly KubeObject[]): object | undefined => {
  if (old === null) {
    if (operation === 'UPDATE') throw new Problem('--operation UPDATE: expected the stored version too, by --old FILE');
    return undefined;
  }
  if (operation !== null && operation !== 'UPDATE') throw new Problem(`--old: expected only with --operation UPDATE`);
  const stored = readObjects(old);
  if (stored.length !== 1 || objects.length !== 1) throw new Problem('--old: expected one object in each of the files');
  return stored[0];
};

const requestsOf = (file: string, options: TryOptions): readonly AdmissionRequest[] => {
  const objects = readObjects(file);
  const oldObject = oldObjectOf(options, objects);
  const { operation, user } = options;
  return objects.map((object) =>
    requestFrom(object, {
      ...(operation === null ? {} : { operation }),
      ...(oldObject === undefined ? {} : { oldObject }),
      ...(user === null ? {} : { userInfo: { username: user, groups: ['system:authenticated'] } }),
    }),
  );
};

/** Prints what the handler logs. What the server logs about the handler is in the result. */
const handlerLog = (print: (text: string) => void): HandlerLog => {
  const at =
    (level: string): HandlerLog['info'] =>
    (message, fields = {}) => {
      if (!('event' in fields)) print(`  ${level.padEnd(7)}  ${message} ${JSON.stringify(fields)}`);
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
};

/**
 * `webhook-certd try`: calls a handler with the objects of a file and prints its answers. Nothing is sent to a cluster.
 *
 * @returns the exit code: 0 if every object is allowed, 1 if not
 * @throws Problem when a file or the handler cannot be loaded
 */
export const runTry = async (
  [handler = '', file = '']: readonly string[],
  options: TryOptions,
  { print, directory }: TryDependencies,
): Promise<number> => {
  const requests = requestsOf(file, options);
  const route = await loadHandler(handler, directory, 'handler');
  const path = pathOf(route, options.path);
  const log = handlerLog(options.json ? () => undefined : print);
  const answers: Answer[] = [];
  for (const request of requests) {
    const answer = await answerOf(request, { route, path, log });
    answers.push(answer);
    if (!options.json) print(describeAnswer(answer).join('\n'));
  }
  if (options.json) print(JSON.stringify(answers, null, 2));
  const allowed = answers.filter(({ result }) => result?.allowed === true).length;
  if (!options.json && answers.length > 1) print(`${allowed} of ${answers.length} in ${basename(file)} allowed`);
  return allowed === answers.length ? 0 : 1;
};
