import { type ChildProcess, spawn, type SpawnOptions } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { RequestOptions } from 'node:https';
import { delimiter } from 'node:path';
import type { KubeConfig } from '@kubernetes/client-node/dist/config.js';
import { errnoOf } from '../util/errors.ts';
import type { Access, Credentials } from './connection-pool.ts';
import { ApiError, redact } from './errors.ts';

/** An exec plugin that takes longer is killed: the requests that waited for it have timed out. */
const PLUGIN_TIMEOUT_MS = 10_000;

/** @throws ApiError when the current context names no server with an http or https URL */
const serverOf = (config: KubeConfig, paths: string): string => {
  const server = config.getCurrentCluster()?.server;
  if (!server) throw new ApiError(`kubeconfig ${paths}: the current context names no cluster`);
  const url = URL.parse(server);
  if (url !== null && ['http:', 'https:'].includes(url.protocol)) return server;
  throw new ApiError(`kubeconfig ${paths}: the server of the current context is not a URL of http or https`);
};

const accessOf = async (config: KubeConfig, paths: string): Promise<Access> => {
  const server = serverOf(config, paths);
  const options: RequestOptions = {};
  try {
    await config.applyToHTTPSOptions(options);
  } catch (error) {
    throw new ApiError(`credentials of kubeconfig ${paths}: ${whyOf(error)}`);
  }
  const { ca, cert, key, pfx, passphrase, rejectUnauthorized, servername } = options;
  const headers = Object.entries(options.headers ?? {}).map(([name, value]) => [
    name.toLowerCase(),
    String(value).trim(),
  ]);
  if (typeof options.auth === 'string')
    headers.push(['authorization', `Basic ${Buffer.from(options.auth).toString('base64')}`]);
  return {
    server,
    headers: Object.fromEntries(headers) as Record<string, string>,
    tls: Object.fromEntries(
      Object.entries({ ca, cert, key, pfx, passphrase, rejectUnauthorized, servername }).filter(
        ([, value]) => value !== undefined,
      ),
    ),
    proxyUrl: config.getCurrentCluster()?.proxyUrl ?? null,
  };
};

interface KubeconfigOptions {
  /** The context to use instead of the current one. */
  readonly context?: string | null;
  readonly pluginTimeoutMs?: number;
}

/** @throws ApiError when the kubeconfig has no such context */
const selectContext = (config: KubeConfig, paths: string, context: string): void => {
  const names = config.getContexts().map(({ name }) => name);
  if (!names.includes(context))
    throw new ApiError(`kubeconfig ${paths} has no context ${context}: it has ${names.join(', ') || 'none'}`);
  config.setCurrentContext(context);
};

/**
 * The namespace that a context names, null when it names none.
 *
 * @param context null for the current one
 * @throws ApiError when a file cannot be used, or has no such context
 */
export const kubeconfigNamespace = async (paths: string, context: string | null): Promise<string | null> => {
  const config = await loadKubeconfig(paths, PLUGIN_TIMEOUT_MS);
  if (context !== null) selectContext(config, paths, context);
  return config.getContextObject(config.getCurrentContext())?.namespace ?? null;
};

/**
 * Credentials from a kubeconfig, with everything that client-node's KubeConfig supports: contexts, client certificates,
 * exec and OIDC plugins, impersonation of a user, tls-server-name, insecure-skip-tls-verify, proxy-url. They are evaluated
 * before each request, so an expired exec credential is renewed and changed certificate files are read again.
 *
 * @param paths one path, or several joined as in KUBECONFIG; rejects with an {@link ApiError} when they cannot be used
 */
export const kubeconfigCredentials = async (
  paths: string,
  { context = null, pluginTimeoutMs = PLUGIN_TIMEOUT_MS }: KubeconfigOptions = {},
): Promise<Credentials> => {
  let last = await loadKubeconfig(paths, pluginTimeoutMs);
  if (context !== null) selectContext(last, paths, context);
  const server = serverOf(last, paths);
  rejectUnsupported(last, paths);
  let stale = false;
  // Concurrent requests share one run of an exec plugin.
  let flight: Promise<Access> | null = null;

  const ask = async (): Promise<Access> => {
    if (stale) {
      stale = false;
      last = await reloadKubeconfig(paths, last, pluginTimeoutMs);
    }
    return await accessOf(last, paths);
  };

  return {
    server,
    access() {
      if (flight !== null) return flight;
      const mine = ask().finally(() => {
        if (flight === mine) flight = null;
      });
      return (flight = mine);
    },
    forget() {
      stale = true;
      flight = null;
    },
  };
};

/**
 * Returns why a kubeconfig or its plugin failed, without quoting the file: a YAML or JSON error contains the text around
 * it, which is full of credentials.
 */
const whyOf = (error: unknown): string => {
  if (!(error instanceof Error)) return 'it failed';
  if ('code' in error && typeof error.code === 'string') return error.code;
  if (error.name === 'YAMLException') return 'it is not YAML';
  if (error instanceof SyntaxError) return 'the exec plugin did not answer JSON';
  if (error instanceof TypeError) return 'it is not a usable kubeconfig';
  return redact(error.message) || 'the exec plugin failed without an error message';
};

/** Credentials that kubectl reads and client-node ignores, and that must not be left out in silence. */
const UNSUPPORTED_IMPERSONATION = ['as-groups', 'as-uid', 'as-user-extra'];

const hasKey = (text: string, key: string): boolean => new RegExp(`(?:^|[\\s{,-])["']?${key}["']?\\s*:`).test(text);

/**
 * Rejects a user whose credentials client-node does not support: without them requests would be sent as
 * `system:anonymous`, or with other groups than the kubeconfig says.
 *
 * @throws ApiError that names the unsupported key
 */
const rejectUnsupported = (config: KubeConfig, paths: string): void => {
  const user = config.getCurrentUser();
  if (user === null) return;
  const text = paths
    .split(delimiter)
    .filter(Boolean)
    .map((path) => readFileSync(path, 'utf8'))
    .join('\n');
  const { token, certData, certFile, username, impersonateUser } = user;
  const plugins: readonly unknown[] = [user.exec, user.authProvider];
  const hasCredentials = [token, certData, certFile, username, ...plugins].some(Boolean);
  if (!hasCredentials && hasKey(text, 'tokenFile'))
    throw new ApiError(`kubeconfig ${paths}: tokenFile is not supported, use token, exec or a client certificate`);
  const key = UNSUPPORTED_IMPERSONATION.find((name) => impersonateUser && hasKey(text, name));
  if (key !== undefined)
    throw new ApiError(
      `kubeconfig ${paths}: ${key} is not supported, use a user that needs no impersonation of groups`,
    );
};

interface ExecAuthenticator {
  execFn?: unknown;
}

/**
 * Creates an empty KubeConfig whose exec plugins are killed after `pluginTimeoutMs`. Their pipes are closed with them,
 * since a child process of a plugin may hold them open.
 */
const newKubeConfig = async (pluginTimeoutMs: number): Promise<KubeConfig> => {
  // Bundled, its index would carry every generated API class: 4.2 MB instead of 1.3 and 30 MiB more at run time.
  const { KubeConfig } = await import('@kubernetes/client-node/dist/config.js').catch((error: unknown) => {
    if (errnoOf(error) !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new ApiError(
      'a kubeconfig is read by @kubernetes/client-node, which is not installed: npm install @kubernetes/client-node',
    );
  });
  const config = new KubeConfig();
  const execFn = (command: string, args: readonly string[] | null, options: SpawnOptions): ChildProcess => {
    const plugin = spawn(command, args ?? [], { ...options, timeout: pluginTimeoutMs, killSignal: 'SIGKILL' });
    return plugin.once('exit', (_code: number | null, signal: NodeJS.Signals | null) => {
      if (signal === null) return;
      plugin.stdout?.destroy();
      plugin.stderr?.destroy();
    });
  };
  const { authenticators } = config as unknown as { readonly authenticators: readonly ExecAuthenticator[] };
  for (const authenticator of authenticators) if ('execFn' in authenticator) authenticator.execFn = execFn;
  return config;
};

/** @throws ApiError when a file cannot be used */
const loadKubeconfig = async (paths: string, pluginTimeoutMs: number): Promise<KubeConfig> => {
  const config = await newKubeConfig(pluginTimeoutMs);
  for (const path of paths.split(delimiter).filter(Boolean)) {
    try {
      const part = await newKubeConfig(pluginTimeoutMs);
      part.loadFromFile(path);
      config.mergeConfig(part, Boolean(config.currentContext));
    } catch (error) {
      throw new ApiError(`kubeconfig ${path}: ${whyOf(error)}`);
    }
  }
  return config;
};

/** Reads the files again; if they cannot be read, returns the last values without the cached results of plugins. */
const reloadKubeconfig = async (paths: string, last: KubeConfig, pluginTimeoutMs: number): Promise<KubeConfig> => {
  const context = last.getCurrentContext();
  try {
    const config = await loadKubeconfig(paths, pluginTimeoutMs);
    config.setCurrentContext(context);
    if (config.getCurrentCluster()?.server !== undefined) return config;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
  }
  const { clusters, users, contexts } = last;
  const config = await newKubeConfig(pluginTimeoutMs);
  config.loadFromOptions({ clusters, users, contexts, currentContext: context });
  return config;
};
