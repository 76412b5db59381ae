import { Problem } from '../../streams/problem.ts';
import type { AdmissionHandler, HandlerExport } from './admission-types.ts';

/** The handler of a path; undefined where there is none. */
export type Route = (pathname: string) => AdmissionHandler | undefined;

const wanted = 'expected a function, or an object of path → function';

/**
 * Who answers which path: one function answers all of them.
 *
 * @param given a {@link HandlerExport}, as far as anybody can know of what comes from somebody's module
 * @param named how to call it in a complaint
 * @throws Problem saying what is wrong with it
 */
export const routes = (given: unknown, named: string): Route => {
  if (typeof given === 'function') return () => given as AdmissionHandler;
  const paths = new Map(Object.entries((given ?? {}) as Exclude<HandlerExport, AdmissionHandler>));
  const faulty = [...paths].find(([path, handler]) => !path.startsWith('/') || typeof handler !== 'function');
  if (typeof given !== 'object' || paths.size === 0) throw new Problem(`${named} is no handler: ${wanted}`);
  if (faulty !== undefined) throw new Problem(`${named} has a wrong entry ${faulty[0]}: ${wanted}`);
  return (pathname) => paths.get(pathname);
};
