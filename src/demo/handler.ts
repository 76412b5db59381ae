import { Problem } from '../../streams/problem.ts';
import { answerOf, describeAnswer, pathOf } from '../author/answer.ts';
import { NO_LOG } from '../author/call-handler.ts';
import { readObjects, requestFrom } from '../author/review.ts';
import { loadHandler } from '../webhook/load-handler.ts';
import { anyQuestion, type Question } from './caller.ts';

interface DemoHandler {
  /** For WEBHOOK_HANDLER. */
  readonly module: string;
  /** What the replicas are called with. */
  readonly question: Question;
  /** What the handler answers, in words. */
  readonly answer: readonly string[];
}

/** How a user names handler and object of the demo. */
export interface HandlerOptions {
  /** Module that the replicas call; null: they admit everything. */
  readonly handler: string | null;
  /** File of the object that they are called with; null: a ConfigMap. */
  readonly review: string | null;
}

/**
 * Loads a user's handler and asks it once, so that a fault shows before any replica starts.
 *
 * @param directory a relative handler is resolved from it
 * @throws Problem when the handler or the file cannot be used
 */
export const openHandler = async (options: HandlerOptions, directory: string): Promise<DemoHandler | null> => {
  const { handler, review } = options;
  if (handler === null) {
    if (review !== null) throw new Problem('--review: expected only with --handler');
    return null;
  }
  const [object, ...others] = review === null ? [] : readObjects(review);
  if (others.length > 0) throw new Problem(`${review ?? ''}: expected one object`);
  const request = object === undefined ? anyQuestion.request : requestFrom(object);
  const route = await loadHandler(handler, directory, 'handler');
  const path = pathOf({ ...(route.paths === undefined ? {} : { paths: route.paths.slice(0, 1) }) }, null);
  const answer = await answerOf(request, { route, path, log: NO_LOG });
  if (answer.problem !== null) throw new Problem(`handler ${handler}: ${answer.problem}`);
  return { module: handler, question: { path, request, mustAllow: false }, answer: describeAnswer(answer) };
};
