import { expect } from 'chai';
import { type ConfigResult, parseConfig } from '../../src/config/config.ts';
import { parse } from './parse.ts';

const problemsOf = (result: ConfigResult): readonly string[] => (result.ok ? [] : result.problems);
const nothing = { namespace: (): null => null, hostname: (): null => null };

describe('parseConfig', () => {
  it('tells every problem in one report', () => {
    const problems = problemsOf(
      parse(
        {
          CERT_TIMEOUT: 'soon',
          TICK_INTERVAL: '1ms',
          LOG_LEVEL: 'loud',
          EXTRA_DNS_NAMES: 'a b,c d',
          RENEW_BEFORE: '2000d',
        },
        { 'cert-dirr': 'x', 'tls-min-version': '1.0', 'retry-period': '39s' },
      ),
    );
    expect(problems).to.have.lengthOf(9);
    for (const name of [
      '--cert-dirr',
      'CERT_TIMEOUT',
      'TICK_INTERVAL',
      'LOG_LEVEL',
      '"a b" is not',
      '"c d" is not',
      '--tls-min-version="1.0" (TLS_MIN_VERSION)',
      '--retry-period="39s" (RETRY_PERIOD)',
      'RENEW_BEFORE="2000d"',
    ]) {
      expect(
        problems.filter((problem) => problem.includes(name)),
        name,
      ).to.have.lengthOf(1);
    }
  });

  it('tells that both are set, handler and upstream, although one of them cannot be read', () => {
    const problems = problemsOf(parse({ WEBHOOK_HANDLER: './a.js', UPSTREAM_URL: 'ftp://b' }));
    expect(problems).to.have.lengthOf(2);
    expect(problems[0]).to.match(/^UPSTREAM_URL="ftp:\/\/b": expected http:/);
    expect(problems[1]).to.match(
      /^WEBHOOK_HANDLER=.* and UPSTREAM_URL=.*: expected exactly one of WEBHOOK_HANDLER, UPSTREAM_URL and SERVING_ADDRESS$/,
    );
  });

  it('makes one problem of one mistake: what a misspelt flag means is not missing, too', () => {
    const env = { POD_NAMESPACE: 'ns', POD_NAME: 'me' };
    const given = { env, flags: new Map<string, string>(), read: nothing, serves: true };
    expect(problemsOf(parseConfig(given))).to.have.lengthOf(1);
    expect(problemsOf(parseConfig({ ...given, meant: ['upstream-url'] }))).to.deep.equal([]);
    expect(problemsOf(parseConfig({ ...given, env: {}, meant: ['handler', 'pod-name'] }))).to.have.lengthOf(2);
    const read = { ...nothing, hostname: () => 'my_host' };
    const handled = { ...given, env: { POD_NAMESPACE: 'ns', WEBHOOK_HANDLER: './a.js' }, read };
    expect(problemsOf(parseConfig(handled))).to.have.lengthOf(1);
    expect(problemsOf(parseConfig({ ...handled, meant: ['pod-name'] }))).to.deep.equal([]);
  });

  it('lets a flag win over the environment', () => {
    for (const text of ['300', ' 300 ']) {
      const result = parse({ CERT_TIMEOUT: '10s' }, { 'cert-timeout': text });
      expect(result.ok && result.config.certTimeoutMs, text).to.equal(300_000);
    }
  });

  it('takes an empty text for unset, of a variable and of a flag', () => {
    const result = parse({ CERT_TIMEOUT: '7s', LEASE_NAME: '', TICK_INTERVAL: ' ' }, { 'cert-timeout': '' });
    expect(result.ok && result.config).to.include({
      certTimeoutMs: 7000,
      leaseName: '8377a775.my.company.com',
      tickMs: 2000,
    });
  });

  it('takes an empty list for none, and an empty flag for none over the environment', () => {
    const env = { CA_BUNDLE_TARGETS: 'apiservice/a', EXTRA_DNS_NAMES: 'a.example.com' };
    const result = parse(env, { 'ca-bundle-targets': '', 'extra-dns-names': '' });
    expect(result.ok && result.config).to.deep.include({ caBundleTargets: [], extraDnsNames: [] });
  });

  it('means debug by --v=1 and info by --v=0, unless --log-level says otherwise', () => {
    const level = (flags: Record<string, string>): unknown => {
      const result = parse({ LOG_LEVEL: 'error' }, flags);
      return result.ok && result.config.logLevel;
    };
    expect(level({ v: '1' })).to.equal('debug');
    expect(level({ v: '0' })).to.equal('info');
    expect(level({ v: '10' })).to.equal('debug');
    expect(problemsOf(parse({}, { v: '1x' }))).to.have.lengthOf(1);
    expect(level({ v: '1', 'log-level': 'warn' })).to.equal('warn');
    expect(problemsOf(parse({}, { v: 'high' }))[0]).to.match(/^--v="high" \(LOG_LEVEL\): expected one of debug/);
  });

  it('lets WATCH_STALE_AFTER follow LEASE_DURATION', () => {
    const result = parse({ LEASE_DURATION: '120s' });
    expect(result.ok && result.config.watchStaleAfterMs).to.equal(120_000);
  });

  it('reads namespace and hostname only when nothing sets them, the hostname in lower case', () => {
    const read = { namespace: () => 'from-file\n', hostname: () => 'Desk-7.Local' };
    const env = { WEBHOOK_HANDLER: 'x' };
    const result = parseConfig({ env, flags: new Map(), read, serves: true });
    expect(result.ok && result.config).to.include({ namespace: 'from-file', identity: 'desk-7.local' });
    const never = { namespace: (): never => expect.fail('read'), hostname: (): never => expect.fail('read') };
    const set = { ...env, POD_NAMESPACE: 'ns', POD_NAME: 'me' };
    expect(parseConfig({ env: set, flags: new Map(), read: never, serves: true }).ok).to.equal(true);
  });

  it('says where a bad name comes from that nobody has set', () => {
    const env = { POD_NAMESPACE: 'ns', WEBHOOK_HANDLER: 'x' };
    const read = { namespace: () => null, hostname: () => 'Desk_7' };
    const [problem = ''] = problemsOf(parseConfig({ env, flags: new Map(), read, serves: true }));
    expect(problem).to.match(/^POD_NAME="desk_7" \(from the hostname\): expected a DNS subdomain/);
  });

  it('suggests the closest flag, and none for a text that is too long to be a typing error', () => {
    const meant = (flag: string): string => problemsOf(parse({}, { [flag]: '1' }))[0] ?? '';
    expect(meant('leasename')).to.equal('unknown flag --leasename: did you mean --lease-name?');
    expect(meant('lease_nam')).to.equal('unknown flag --lease_nam: did you mean --lease-name?');
    expect(meant(`${'a'.repeat(60)}b`)).to.equal(`unknown flag --${'a'.repeat(60)}: expected a flag that --help lists`);
  });

  it('asks for POD_NAMESPACE where there is no namespace file', () => {
    const env = { POD_NAME: 'me', WEBHOOK_HANDLER: 'x' };
    const problems = problemsOf(parseConfig({ env, flags: new Map(), read: nothing, serves: true }));
    expect(problems).to.have.lengthOf(1);
    expect(problems[0]).to.match(/^POD_NAMESPACE, which is set neither by .* namespace file: expected a DNS label/);
  });

  it('repeats no secret and shortens what is long', () => {
    const [url] = problemsOf(parse({ WEBHOOK_HANDLER: '', UPSTREAM_URL: 'http://user:pa/ss@word@127.0.0.1:8080/x' }));
    expect(url).to.include('UPSTREAM_URL="http://***@127.0.0.1:8080/x"');
    const [pem] = problemsOf(parse({ CERT_DIR: '-----BEGIN PRIVATE KEY-----\nMIGH' }));
    expect(pem).to.match(/^CERT_DIR="\[redacted\]": expected/);
    const [long] = problemsOf(parse({ LEASE_NAME: 'X'.repeat(10_000) }));
    expect(long).to.have.length.below(300);
  });

  it('suggests the flag that was meant', () => {
    const meant = (flag: string): string | undefined => problemsOf(parse({}, { [flag]: '1' }))[0];
    expect(meant('cert-timout')).to.equal('unknown flag --cert-timout: did you mean --cert-timeout?');
    expect(meant('LEASE_DURATION')).to.include('did you mean --lease-duration?');
    expect(meant('leader-elect')).to.include('did you mean --leader-election?');
    expect(meant('quite-something-else')).to.include('expected a flag that --help lists');
  });

  it('ignores what else is in the environment', () => {
    expect(parse({ HOME: '/', CERT_TIMEOUTS: 'x', KUBERNETES_PORT: 'tcp://10.0.0.1:443' }).ok).to.equal(true);
  });

  it('adds EXTRA_DNS_NAMES to the names of the leaf, each once', () => {
    const result = parse({ SERVICE_NAME: 's', POD_NAMESPACE: 'n', EXTRA_DNS_NAMES: 'x.io,s.n.svc' });
    expect(result.ok && result.config.serviceNames).to.deep.equal([
      's',
      's.n',
      's.n.svc',
      's.n.svc.cluster.local',
      'x.io',
    ]);
  });

  it('gives a value nobody can change', () => {
    const result = parse();
    const config = result.ok ? result.config : expect.fail('refused');
    for (const each of [
      config,
      config.webhookBind,
      config.caBundleTargets,
      config.caBundleTargets[0],
      config.serviceNames,
    ]) {
      expect(each).to.be.frozen;
    }
  });
});
