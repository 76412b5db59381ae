import { catchError, type Observable, type OperatorFunction, throwError } from 'rxjs';
import { Problem } from './problem.ts';

/**
 * `catchError` for a {@link Problem} only. Any other error is a bug and passes through.
 *
 *     source   --a--#              # a Problem
 *     result   --a--f
 */
export const catchProblem = <T, F>(handle: (problem: Problem) => Observable<F>): OperatorFunction<T, T | F> =>
  catchError((error: unknown) => (error instanceof Problem ? handle(error) : throwError(() => error)));
