import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { expect } from 'chai';
import { kubeconfig } from '../kube/kubeconfig.ts';
import { program } from '../support/program.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary-directory.ts';
import { leaksOf } from './leaks.ts';

const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' });
const canaries = { key, token: 'canary-t0ken-of-a-plugin', password: 'canary-passw0rd-in-a-url' } as const;
const leaks = leaksOf(canaries);
const { token, password } = canaries;
const UNREACHABLE = 'https://127.0.0.1:9';

interface Case {
  readonly what: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  /** Text of a kubeconfig, or a plugin to be named in one. */
  readonly kubeconfig?: string;
  readonly plugin?: string;
  readonly status: number;
  /** Tried with check and rotate as well. */
  readonly inCommands?: boolean;
  /** Shows that it came as far as the case means. */
  readonly tells: RegExp;
}

interface Ended {
  readonly status: number | null;
  readonly text: string;
}

const cases: readonly Case[] = [
  { what: 'a key in place of a duration', env: { CERT_TIMEOUT: key }, status: 2, tells: /CERT_TIMEOUT="\[redacted\]"/ },
  {
    what: 'a key in base64 as a flag',
    args: [`--secret-name=${Buffer.from(key).toString('base64')}`],
    status: 2,
    tells: /--secret-name="\[redacted\]"/,
  },
  { what: 'a key with two dashes before it', args: [`--${key}`], status: 2, tells: /unknown command "\[redacted\]"/ },
  { what: 'a key in place of a command', args: [key], status: 2, tells: /unknown command/ },
  {
    what: "a password in the upstream's URL",
    env: { UPSTREAM_URL: `http://user:${password}@127.0.0.1:1` },
    status: 2,
    tells: /UPSTREAM_URL="http:\/\/\*\*\*@/,
  },
  { what: 'a key in place of a path', env: { WEBHOOK_HANDLER: `./${key}` }, status: 2, tells: /"\[redacted\]"/ },
  { what: "a key in place of a kubeconfig's path", env: { KUBECONFIG: key }, status: 2, tells: /"\[redacted\]"/ },
  {
    what: 'a kubeconfig that is not YAML',
    kubeconfig: `users:\n  - token: ${token}: [`,
    status: 1,
    tells: /it is not YAML/,
  },
  {
    what: 'a kubeconfig whose server is no URL',
    kubeconfig: kubeconfig({ server: `me:${password}@api`, user: { token } }),
    status: 1,
    tells: /not a URL/,
  },
  {
    what: 'a token that no header can carry',
    inCommands: true,
    kubeconfig: kubeconfig({ server: UNREACHABLE, user: { token: `${token}\n\u0000` } }),
    status: 1,
    tells: /Watch creation failed/,
  },
  {
    what: 'a client key that is none',
    kubeconfig: kubeconfig({
      server: UNREACHABLE,
      user: { 'client-certificate-data': 'YQ==', 'client-key-data': Buffer.from(key.slice(0, 150)).toString('base64') },
    }),
    status: 1,
    tells: /Watch creation failed/,
  },
  {
    what: 'a proxy with a password',
    kubeconfig: kubeconfig({
      server: UNREACHABLE,
      cluster: { 'proxy-url': `http://user:${password}@127.0.0.1:9` },
      user: { token },
    }),
    status: 1,
    tells: /Watch creation failed/,
  },
  {
    what: 'an exec plugin that prints its answer and fails',
    inCommands: true,
    plugin: `echo '{"status":{"token":"${token}"}}' >&2; echo "password=${password}" >&2; exit 1`,
    status: 1,
    tells: /the exec plugin|Watch creation failed/,
  },
  {
    what: 'an exec plugin that answers garbage',
    plugin: `echo 'token ${token}'`,
    status: 1,
    tells: /did not answer JSON/,
  },
];

describe('the last words of a daemon', function () {
  this.timeout(240_000);
  let directory: TemporaryDirectory;
  /** Those that end by CERT_TIMEOUT only: side by side, since they mostly wait. */
  const waiting = new Map<Case, Promise<Ended>>();
  before(async () => {
    directory = await temporaryDirectory();
    for (const one of cases.filter(({ status }) => status === 1)) waiting.set(one, toItsPoint(one));
  });
  after(() => directory[Symbol.asyncDispose]());

  /** CERT_TIMEOUT is counted from the start of the process, and a case that ends by it must come to its point before. */
  const toItsPoint = async (one: Case): Promise<Ended> => {
    for (let timeoutMs = 4_000; ; timeoutMs *= 2) {
      const ended = await run(one, 'serve', timeoutMs);
      if (one.tells.test(ended.text) || timeoutMs > 60_000) return ended;
    }
  };

  const run = async (one: Case, command: string, timeoutMs = 4_000): Promise<Ended> => {
    const { env = {}, args = [], kubeconfig: text, plugin } = one;
    const name = `${command}-${cases.indexOf(one)}`;
    const exec = plugin === undefined ? null : await directory.write(`${name}-plugin`, `#!/bin/sh\n${plugin}\n`, 0o700);
    const file = exec === null ? (text ?? '') : kubeconfig({ server: UNREACHABLE, user: { exec: { command: exec } } });
    const path = await directory.write(`${name}-config`, file);
    const standard = {
      POD_NAMESPACE: 'n',
      POD_NAME: 'p',
      LOG_LEVEL: 'debug',
      CERT_TIMEOUT: `${timeoutMs}ms`,
      CERT_DIR: directory.path,
      KUBECONFIG: path,
    };
    const ports = {
      WEBHOOK_BIND_ADDRESS: '127.0.0.1:0',
      HEALTH_PROBE_BIND_ADDRESS: '127.0.0.1:0',
      METRICS_BIND_ADDRESS: '0',
    };
    const handler = env['UPSTREAM_URL'] === undefined ? { WEBHOOK_HANDLER: 'builtin:allow' } : {};
    const all = { ...standard, ...ports, ...handler, PATH: '/usr/bin:/bin', ...env };
    const words = [program(), ...(command === 'serve' && args.length > 0 ? [] : [command]), ...args];
    return new Promise((resolve) => {
      const child = execFile(process.execPath, words, { env: all, timeout: 200_000 }, (_, stdout, stderr) =>
        resolve({ status: child.exitCode, text: stdout + stderr }),
      );
    });
  };

  for (const one of cases) {
    it(`tell nothing of ${one.what}`, async () => {
      const { status, text } = await (waiting.get(one) ?? run(one, 'serve'));
      expect(text, text).to.match(one.tells);
      expect(leaks(text), text).to.deep.equal([]);
      expect(status, text).to.equal(one.status);
    });
  }

  for (const command of ['check', 'rotate']) {
    it(`and those of ${command} tell nothing of a kubeconfig or of its plugin`, async () => {
      for (const one of cases.filter(({ inCommands }) => inCommands)) {
        const { status, text } = await run(one, command);
        expect(leaks(text), `${one.what}: ${text}`).to.deep.equal([]);
        expect(status, `${one.what}: ${text}`).to.equal(1);
        expect(text, one.what).to.not.match(/^ {4}at /m);
      }
    });
  }
});
