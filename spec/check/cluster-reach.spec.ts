import { expect } from 'chai';
import { probe, type ProbeResult, tunnelled } from '../../src/check/cluster-probe.ts';
import { openSpecClient } from '../kube/open-spec-client.ts';
import { forwardPorts, type PodTunnels, type TunnelOptions } from '../kube/pod-tunnels.ts';
import { scriptedApi } from '../kube/scripted-api.ts';
import { madeCertificates } from '../support/made-certificates.ts';
import { until } from '../support/until.ts';
import { type PlantedServers, plantServers } from './cluster-servers.ts';

const NAME = 'svc.ns.svc';

interface Desk extends AsyncDisposable {
  readonly servers: PlantedServers;
  readonly tunnels: PodTunnels;
  readonly dial: (port: number, pod?: string | null) => Promise<ProbeResult>;
  readonly concurrency: number;
}

const desk = async (options: TunnelOptions = {}): Promise<Desk> => {
  const opened = new AsyncDisposableStack();
  const api = opened.use(await scriptedApi());
  const client = opened.use(await openSpecClient(api));
  const servers = opened.use(plantServers());
  const reach = tunnelled(client);
  return {
    servers,
    tunnels: forwardPorts(api, options),
    dial: (port, pod = 'p') => probe(reach, { address: '10.0.0.1', port, ready: true, pod }, 'ns', NAME),
    concurrency: reach.concurrency,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
};

const leafFor = async () => madeCertificates.leaf({ ca: await madeCertificates.ca(), names: [NAME] });

describe('an endpoint that is dialled from a desk, through the API server', () => {
  it('shows the certificate of the Pod', async () => {
    await using place = await desk();
    const leaf = await leafFor();
    const result = await place.dial(await place.servers.tls(leaf));
    expect(result.state).to.equal('presented');
    if (result.state === 'presented') expect(result.chain[0]?.toString() ?? '').to.equal(leaf.pem);
  });

  it('leaves no tunnel open', async () => {
    await using place = await desk();
    await place.dial(await place.servers.tls(await leafFor()));
    await until(() => place.tunnels.open() === 0);
  });

  it('is closed where nothing listens in the Pod', async () => {
    await using place = await desk();
    expect(await place.dial(await place.servers.closed())).to.include({ state: 'failed', why: 'closed' });
  });

  it('speaks plain HTTP where the Pod does', async () => {
    await using place = await desk();
    expect(await place.dial(await place.servers.http())).to.include({ state: 'failed', why: 'plain-http' });
  });

  it('does not answer where the Pod does not', async () => {
    await using place = await desk({ error: 'dial tcp4 127.0.0.1:8443: i/o timeout' });
    expect(await place.dial(8443)).to.include({ state: 'failed', why: 'unreachable' });
  });

  it('is not judged where the node cannot forward', async () => {
    await using place = await desk({ error: 'unable to do port forwarding: socat not found' });
    expect(await place.dial(8443)).to.include({ state: 'skipped' });
  });

  it('is not judged where forwarding is forbidden', async () => {
    await using place = await desk({ status: () => 403 });
    const result = await place.dial(8443);
    expect(result).to.include({ state: 'skipped' });
    if (result.state === 'skipped') expect(result.detail).to.contain('403');
  });

  it('is not judged where it belongs to no Pod', async () => {
    await using place = await desk();
    expect(await place.dial(8443, null)).to.include({ state: 'skipped' });
  });
});
