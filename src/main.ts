#!/usr/bin/env node
import { homedir, hostname } from 'node:os';
import { setImmediate as turn } from 'node:timers/promises';
import type { Desk } from './commands/desk.ts';
import { type CommandLine, helpText, parseCommandLine } from './config/command-line.ts';
import { type Config, parseConfig } from './config/config.ts';
import { VERSION } from './config/version.ts';
import { inClusterAccess, podNamespace } from './kube/in-cluster.ts';
import { errorText, messageOf, stackOf } from './util/errors.ts';
import { nodeVersionProblem } from './util/node-version.ts';
import { withoutSecret } from './util/redact.ts';
import { monotonicMs } from './util/time.ts';

const print = (text: string): void => void process.stdout.write(`${text}\n`);

const exitWithProblems = (problems: readonly string[]): never => {
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  const lines = problems.map((problem) => `  ${problem}`);
  process.stderr.write(`webhook-certd: ${count} in the configuration:\n${lines.join('\n')}\nTry --help.\n`);
  process.exit(2);
};

const configure = ({ command, flags, problems, meant }: CommandLine, desk: Desk | null = null): Config => {
  const read = {
    namespace: desk === null ? podNamespace : () => desk.namespace,
    hostname: desk?.inCluster === null ? () => DESK : hostname,
  };
  const result = parseConfig({ env: process.env, flags, serves: command === 'serve', meant, read });
  const all = [...problems, ...(result.ok ? [] : result.problems)];
  return result.ok && all.length === 0 ? result.config : exitWithProblems(all);
};

/** Resolves on the first SIGTERM or SIGINT; the second one ends the process. */
const stopSignal = (): Promise<void> =>
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

/** Replaces Node's report of a crash, which would print messages and causes with every secret in them. */
const onCrash = (report: (error: unknown) => void): void => {
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', (error) => {
    report(error);
    process.exit(1);
  });
};

const serve = async (config: Config): Promise<number> => {
  const stopping = stopSignal();
  // Without listeners SIGUSR1 opens Node's inspector, beside the private keys, and SIGHUP ends the process without a drain.
  process.on('SIGUSR1', () => undefined);
  process.on('SIGHUP', () => undefined);
  const { openClient } = await import('./cluster/open-client.ts');
  const opening = openClient(config, inClusterAccess(process.env), VERSION);
  // The daemon reports a failure, once there is a log.
  opening.catch(() => undefined);
  await turn();
  const { openLogger } = await import('./logging/sinks.ts');
  const logger = openLogger(config, () => process.stdout);
  onCrash((error) => logger.error('Fatal error', { error, stack: stackOf(error), event: 'fatal-error' }));
  process.removeAllListeners('warning');
  process.on('warning', (error) => logger.warn('Process warning', { error, event: 'process-warning' }));
  // A promise that a handler forgot to await must not end the webhook.
  process.on('unhandledRejection', (error) =>
    logger.error('Unhandled promise rejection', { error, event: 'unhandled-rejection' }),
  );
  try {
    const [{ startDaemon }, { processUsage }] = await Promise.all([
      import('./daemon/daemon.ts'),
      import('./metrics/process-usage.ts'),
    ]);
    const starting = startDaemon(config, {
      client: () => opening,
      logger,
      version: VERSION,
      directory: process.cwd(),
      kill: (pid, signal) => process.kill(pid, signal),
      usage: processUsage(process),
      startedMs: monotonicMs() - process.uptime() * 1000,
    });
    const daemon = await Promise.race([starting, stopping.then(() => null)]);
    if (daemon === null) {
      // Nothing is held yet: neither the Lease nor a connection of a caller.
      logger.info('Stopped during the start', { event: 'stopped-during-start' });
      return 0;
    }
    process.on('SIGHUP', () => {
      logger.info('Mount is read again', { signal: 'SIGHUP', event: 'refresh-requested' });
      daemon.refresh();
    });
    const failed = await Promise.race([stopping.then(() => false), daemon.failed.then(() => true)]);
    await daemon.stop();
    return failed ? 1 : 0;
  } catch (error) {
    logger.error('Fatal error', { error, stack: stackOf(error), event: 'fatal-error' });
    return 1;
  }
};

const demo = async (options: Extract<CommandLine, { command: 'demo' }>['options']): Promise<number> => {
  const stopped = stopSignal();
  const { runDemo } = await import('./demo/run-demo.ts');
  const program = { node: process.execPath, flags: process.execArgv, script: process.argv[1] ?? '' };
  return runDemo(options, { program, directory: process.cwd(), print, stopped });
};

const tryHandler = async ({ operands, options }: Extract<CommandLine, { command: 'try' }>): Promise<number> => {
  const { runTry } = await import('./author/try.ts');
  return runTry(operands, options, { print, directory: process.cwd() });
};

const init = async ({ operands: [folder = ''], options, flags }: Extract<CommandLine, { command: 'init' }>) => {
  const { runInit } = await import('./author/init.ts');
  const name = flags.get('name') ?? null;
  return runInit(folder, { ...options, name }, { print, directory: process.cwd(), version: VERSION });
};

const manifests = async (line: Extract<CommandLine, { command: 'manifests' }>): Promise<number> => {
  const { parseInstallation } = await import('./manifests/options.ts');
  const result = parseInstallation(line.options, line.flags);
  const problems = [...line.problems, ...(result.ok ? [] : result.problems)];
  if (!result.ok || problems.length > 0) return exitWithProblems(problems);
  const { manifests: objects, manifestText } = await import('./manifests/manifests.ts');
  process.stdout.write(objects(result.spec).map(manifestText).join('---\n'));
  return 0;
};

/** https://no-color.org */
const hasColours = (): boolean => process.stdout.isTTY && !process.env['NO_COLOR'];

/** Stands for the name of a Pod where a command runs outside one. */
const DESK = 'desk';

type ForPeople = Extract<CommandLine, { command: 'check' | 'rotate' }>;

/** Runs a command for people, on the cluster and in the namespace that kubectl would take. */
const atDesk = async (line: ForPeople): Promise<number> => {
  const { openDesk } = await import('./commands/desk.ts');
  const desk = await openDesk({ env: process.env, flags: line.flags, options: line.options, home: homedir() });
  const config = configure({ ...line, flags: desk.flags }, desk);
  const { inCluster, context, kubectl } = desk;
  const around = { inCluster, context, version: VERSION, print };
  const json = line.options.json || line.options.output === 'json';
  if (line.command === 'rotate') {
    const { runRotate } = await import('./commands/rotate.ts');
    return runRotate(config, { ...line.options, json }, { ...around, stopped: stopSignal() });
  }
  const { runCheck } = await import('./commands/check.ts');
  return runCheck(config, { json }, { ...around, colours: hasColours(), kubectl });
};

type CheckLine = Extract<CommandLine, { command: 'check' }>;

/** Needs no configuration of an installation, and does not read it. */
const checkCluster = async ({ options, flags, problems }: CheckLine): Promise<number> => {
  if (problems.length > 0) return exitWithProblems(problems);
  const { openDesk } = await import('./commands/desk.ts');
  const desk = await openDesk({ env: process.env, flags, options, home: homedir() });
  const { runCheckCluster } = await import('./commands/check-cluster.ts');
  return runCheckCluster(
    { ...options, json: options.json || options.output === 'json' },
    {
      kubeconfig: desk.flags.get('kubeconfig') ?? null,
      context: desk.context,
      inCluster: desk.inCluster,
      version: VERSION,
      print,
      printError: (text) => void process.stderr.write(`${text}\n`),
      colours: hasColours(),
      stopped: stopSignal,
    },
  );
};

const run = async (line: CommandLine): Promise<number> => {
  if (line.help || line.version) {
    print(line.help ? helpText(line.command, { columns: process.stdout.columns || 100 }) : VERSION);
    return 0;
  }
  if (!line.isCertain) return exitWithProblems(line.problems);
  if (line.command === 'serve') return serve(configure(line));
  if (line.command === 'manifests') return manifests(line);
  if (line.command === 'check' && line.options.cluster) return checkCluster(line);
  if (line.command === 'check' || line.command === 'rotate') return atDesk(line);
  if (line.problems.length > 0) return exitWithProblems(line.problems);
  if (line.command === 'try') return tryHandler(line);
  if (line.command === 'init') return init(line);
  if (line.command === 'demo') return demo(line.options);
  if (line.command === 'completion') {
    const { completionScript, isShell } = await import('./config/completion.ts');
    const [shell = ''] = line.operands;
    if (isShell(shell)) print(completionScript(shell));
  }
  return 0;
};

const problem = nodeVersionProblem(process.versions.node);
if (problem !== null) {
  process.stderr.write(`${problem}\n`);
  process.exit(1);
}
onCrash((error) => {
  const text = error instanceof Error ? errorText(error) : messageOf(error);
  process.stderr.write(`webhook-certd: ${withoutSecret(text)}\n${withoutSecret(stackOf(error) ?? '')}\n`);
});
const line = parseCommandLine(process.argv.slice(2));
void run(line).then((code) => {
  process.exitCode = code;
  // Timers and connections of a handler must not outlive SHUTDOWN_GRACE, nor its answers.
  if (['serve', 'try', 'demo'].includes(line.command)) process.exit();
});
