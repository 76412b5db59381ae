import { syncBuiltinESMExports } from 'node:module';

/** Replaces functions of a module of Node, also for those that have imported it, until it is disposed of. */
export const replaceBuiltin = <M extends object>(
  module: M,
  functions: { readonly [F in keyof M]?: (...args: never[]) => unknown },
): Disposable => {
  const own = Object.fromEntries(Object.keys(functions).map((name) => [name, module[name as keyof M]]));
  const put = (those: object): void => {
    Object.assign(module, those);
    syncBuiltinESMExports();
  };
  put(functions);
  return { [Symbol.dispose]: () => put(own) };
};
