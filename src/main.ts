#!/usr/bin/env node
import { hostname } from 'node:os';
import { setImmediate as turn } from 'node:timers/promises';
import { type CommandLine, helpText, parseCommandLine } from './config/command-line.ts';
import { type Config, parseConfig } from './config/config.ts';
import { VERSION } from './config/version.ts';
import { inClusterAccess, podNamespace } from './kube/in-cluster.ts';
import { errorText, stackOf } from './logging/error-text.ts';
import { withoutSecret } from './util/redact.ts';

const say = (text: string): void => void process.stdout.write(`${text}\n`);

const refuse = (problems: readonly string[]): never => {
  const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
  const lines = problems.map((problem) => `  ${problem}`);
  process.stderr.write(`webhook-certd: ${count} with the configuration:\n${lines.join('\n')}\nTry --help.\n`);
  process.exit(2);
};

const configure = ({ command, flags, problems }: CommandLine): Config => {
  const read = { namespace: podNamespace, hostname };
  const result = parseConfig({ env: process.env, flags, serves: command === 'serve', read });
  const all = [...problems, ...(result.ok ? [] : result.problems)];
  return result.ok && all.length === 0 ? result.config : refuse(all);
};

/** The first signal asks to stop; the second does not ask. */
const signalled = (): Promise<void> =>
  new Promise((resolve) => {
    let signals = 0;
    const onSignal = (): void => {
      signals += 1;
      if (signals > 1) process.exit(1);
      resolve();
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
  });

/** Node's own account of a crash repeats messages and causes as they are, with every secret in them. */
const crashing = (tell: (error: unknown) => void): void => {
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', (error) => {
    tell(error);
    process.exit(1);
  });
};

const serve = async (config: Config): Promise<number> => {
  const stopping = signalled();
  const { openClient } = await import('./cluster/open-client.ts');
  const opening = openClient(config, inClusterAccess(process.env), VERSION);
  // What is wrong with it is told below, once there is a log.
  opening.catch(() => undefined);
  await turn();
  const { openLogger } = await import('./logging/sinks.ts');
  const logger = openLogger(config, () => process.stdout);
  crashing((error) => logger.error('Fatal error', { error, stack: stackOf(error) }));
  process.removeAllListeners('warning');
  process.on('warning', (error) => logger.warn('Process warning', { error }));
  // A promise that somebody's handler forgot must not take the webhook down.
  process.on('unhandledRejection', (error) => logger.error('Unhandled promise rejection', { error }));
  try {
    const { startDaemon } = await import('./daemon/daemon.ts');
    const daemon = await startDaemon(config, {
      client: () => opening,
      logger,
      version: VERSION,
      directory: process.cwd(),
    });
    const failed = await Promise.race([stopping.then(() => false), daemon.failed.then(() => true)]);
    await daemon.stop();
    return failed ? 1 : 0;
  } catch (error) {
    logger.error('Fatal error', { error, stack: stackOf(error) });
    return 1;
  }
};

const demo = async (options: Extract<CommandLine, { command: 'demo' }>['options']): Promise<number> => {
  const stopped = signalled();
  const { runDemo } = await import('./demo/run-demo.ts');
  const program = { node: process.execPath, flags: process.execArgv, script: process.argv[1] ?? '' };
  return runDemo(options, { program, print: say, stopped });
};

const rotate = async (config: Config, options: { readonly ca: boolean }): Promise<number> => {
  const { runRotate } = await import('./commands/rotate.ts');
  return runRotate(config, options, {
    inCluster: inClusterAccess(process.env),
    version: VERSION,
    print: say,
    stopped: signalled(),
  });
};

const check = async (config: Config, options: { readonly json: boolean }): Promise<number> => {
  const { runCheck } = await import('./commands/check.ts');
  const shellKubeconfig = process.env['KUBECONFIG'] ?? null;
  const colours = process.stdout.isTTY;
  return runCheck(config, options, {
    inCluster: inClusterAccess(process.env),
    version: VERSION,
    print: say,
    colours,
    shellKubeconfig,
  });
};

const run = async (line: CommandLine): Promise<number> => {
  if (line.help || line.version) {
    say(line.help ? helpText(line.command, { columns: process.stdout.columns || 100 }) : VERSION);
    return 0;
  }
  if (line.command === 'demo') return line.problems.length > 0 ? refuse(line.problems) : demo(line.options);
  const config = configure(line);
  if (line.command === 'rotate') return rotate(config, line.options);
  return line.command === 'check' ? check(config, line.options) : serve(config);
};

crashing((error) => {
  const text = error instanceof Error ? errorText(error) : String(error);
  process.stderr.write(`webhook-certd: ${withoutSecret(text)}\n${withoutSecret(stackOf(error) ?? '')}\n`);
});
const line = parseCommandLine(process.argv.slice(2));
void run(line).then((code) => {
  process.exitCode = code;
  // What somebody's handler has left running must not outlive SHUTDOWN_GRACE.
  if (line.command === 'serve') process.exit();
});
