import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import { program } from '../support/program.ts';
import { runDaemon } from '../support/running-daemon.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  spawnSync(process.execPath, [program(), ...args], { env, encoding: 'utf8' });

describe('the command line', () => {
  it('reports every problem of a bad configuration at once, on stderr, and ends with 2', () => {
    const { status, stdout, stderr } = run(['--tick-interval=soon', '--colour=red'], {
      POD_NAMESPACE: 'Not A Namespace',
      CERT_VALIDITY: '10d',
      RENEW_BEFORE: '20d',
      LEASE_DURATION: '10s',
      KEY_ALGORITHM: 'dsa',
    });
    expect(status).to.equal(2);
    expect(stdout).to.equal('');
    for (const named of [
      '--tick-interval="soon"',
      '--colour',
      'POD_NAMESPACE="Not A Namespace"',
      'KEY_ALGORITHM="dsa"',
    ])
      expect(stderr).to.include(named);
    for (const named of ['RENEW_BEFORE', 'LEASE_DURATION', 'WEBHOOK_HANDLER', 'UPSTREAM_URL'])
      expect(stderr).to.include(named);
    expect(stderr).to.include('500ms, 2s, 1h30m, 30d, 1w');
  });

  it('explains itself with --help and tells its --version, with 0', () => {
    expect(run(['--help']).stdout)
      .to.include('POD_NAMESPACE')
      .and.to.include('demo ');
    expect(run(['--help']).status).to.equal(0);
    expect(run(['--version']).stdout).to.match(/^\d+\.\d+\.\d+\n$/);
    expect(run(['demo', '--help']).stdout).to.include('--rotations');
  });

  it('names the token file that is missing when it gives up', async () => {
    await using directory = await temporaryDirectory();
    await using daemon = runDaemon({
      POD_NAMESPACE: 'any',
      POD_NAME: 'any',
      WEBHOOK_HANDLER: 'builtin:allow',
      WEBHOOK_BIND_ADDRESS: '127.0.0.1:0',
      HEALTH_PROBE_BIND_ADDRESS: '127.0.0.1:0',
      METRICS_BIND_ADDRESS: '0',
      CERT_DIR: directory.path,
      CERT_TIMEOUT: '3s',
      KUBERNETES_SERVICE_HOST: '127.0.0.1',
      SERVICE_ACCOUNT_DIR: directory.path,
    });
    expect(await daemon.exit).to.equal(1);
    const missing = `credentials: cannot read the service account file ${directory.path}/token: ENOENT`;
    const line = daemon.lines.find(({ message }) => message === 'Timeout waiting for webhook certificates');
    expect(line?.['reason'])
      .to.match(/^no-announcement: /)
      .and.to.include(missing);
  });

  it('ends with 1 and says why when it cannot go on', async () => {
    const env = { POD_NAMESPACE: 'any', WEBHOOK_HANDLER: './no-such-handler.js', KUBECONFIG: '/no/such/kubeconfig' };
    await using daemon = runDaemon(env);
    expect(await daemon.exit).to.equal(1);
    expect(daemon.lines.at(-1)).to.include({ level: 'error', message: 'Fatal error' });
  });

  it('says no more once it has ended, so that nobody waits for a line of it', async () => {
    await using daemon = runDaemon({ POD_NAMESPACE: 'any' });
    const error = await daemon.line('Starting', {}, 600_000).catch((reason: unknown) => reason);
    expect(String(error)).to.match(/no "Starting" .* before it ended/);
  });
});
