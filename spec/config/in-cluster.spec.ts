import { expect } from 'chai';
import { parse } from './parse.ts';

const problemsOf = (env: Readonly<Record<string, string>>): readonly string[] => {
  const result = parse(env);
  return result.ok ? [] : result.problems;
};

describe('the address of the API server in a Pod', () => {
  for (const [host, port] of [
    ['', '443'],
    ['[fd00::1]', '443'],
    ['https://10.0.0.1', '443'],
    ['10.0.0.1:443', '443'],
  ] as const)
    it(`is a problem of the configuration when KUBERNETES_SERVICE_HOST is "${host}"`, () => {
      const problems = problemsOf({ KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port, TICK_INTERVAL: 'x' });
      expect(problems).to.have.length(2);
      expect(problems.join('\n')).to.include(`KUBERNETES_SERVICE_HOST="${host}": expected an IP address`);
    });

  for (const port of ['tcp://10.0.0.1:443', '', '0', '65536', '443 ', '+443'])
    it(`is a problem of the configuration when KUBERNETES_SERVICE_PORT is "${port}"`, () => {
      const problems = problemsOf({ KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: port });
      expect(problems).to.deep.equal([
        `KUBERNETES_SERVICE_PORT="${port}": expected a port from 1 to 65535, as the kubelet sets it`,
      ]);
    });

  it('is accepted as an IPv4 address, an IPv6 address or a name', () => {
    for (const host of ['10.0.0.1', 'fd00::1', 'kubernetes.default.svc', 'localhost', 'a'])
      expect(problemsOf({ KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: '6443' }), host).to.deep.equal([]);
    expect(problemsOf({ KUBERNETES_SERVICE_HOST: '10.0.0.1' })).to.deep.equal([]);
    for (const port of ['1', '65535'])
      expect(problemsOf({ KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: port }), port).to.deep.equal(
        [],
      );
  });

  it('is asked for in a Pod only, where the kubelet sets its host', () => {
    expect(problemsOf({ KUBERNETES_SERVICE_PORT: 'tcp://10.0.0.1:443' })).to.deep.equal([]);
  });

  it('does not matter with a KUBECONFIG', () => {
    expect(problemsOf({ KUBERNETES_SERVICE_HOST: '', KUBECONFIG: '/any' })).to.deep.equal([]);
  });
});
