import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import { finalize, type Observable, tap } from 'rxjs';
import { direct, type Reach } from '../../src/check/cluster-probe.ts';
import { reportCluster } from '../../src/check/cluster-report.ts';
import { surveyCluster } from '../../src/check/cluster-survey.ts';
import { type KubeClient, openKubeClient } from '../../src/kube/client.ts';
import { startEmbeddedApi } from '../support/embedded-api.ts';
import { madeCertificates } from '../support/made-certificates.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { NAMESPACE, type Plant, plantAll, serviceName } from './cluster-plants.ts';
import { plantServers } from './cluster-servers.ts';

const WEBHOOKS = 40;
const ENDPOINTS = 2;

/** Counts what is under way, and the most that ever was. */
const gauge = () => {
  let [now, most, all] = [0, 0, 0];
  return {
    begin: (): void => {
      all += 1;
      now += 1;
      most = Math.max(most, now);
    },
    end: (): void => void (now -= 1),
    most: () => most,
    all: () => all,
  };
};

describe('the survey of a cluster', function () {
  this.timeout(60_000);

  it('is polite: few requests and few dials at once, each address once, no Secret, no write', async () => {
    await using opened = new AsyncDisposableStack();
    const api = opened.use(await startEmbeddedApi());
    const servers = opened.use(plantServers());
    const folder = opened.use(await temporaryDirectory());
    const ca = await madeCertificates.ca();
    const plants: Plant[] = [];
    for (let at = 0; at < WEBHOOKS; at += 1) {
      const name = `hook-${at}`;
      const port = await servers.tls(await madeCertificates.leaf({ ca, names: [serviceName(name)] }));
      const endpoints = Array.from({ length: ENDPOINTS }, () => ({ port, secret: `secret-${at}` }));
      plants.push({ name, bundle: ca.pem, endpoints, status: 'ok', findings: [] });
    }
    await api.createNamespace(NAMESPACE);
    await plantAll(api, plants);
    // A second hook that calls the first Service.
    const { status, text } = await api.admin.post(
      '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations',
      {
        metadata: { name: 'again' },
        webhooks: [
          {
            name: 'again.plants.test',
            admissionReviewVersions: ['v1'],
            sideEffects: 'None',
            clientConfig: {
              service: { name: 'hook-0', namespace: NAMESPACE, port: 443 },
              caBundle: Buffer.from(ca.pem).toString('base64'),
            },
          },
        ],
      },
    );
    expect(status, text).to.equal(201);

    const client = opened.use(
      await openKubeClient({ kubeconfig: await folder.write('config', api.adminKubeconfig()), userAgent: 'spec' }),
    );
    const requests = gauge();
    const asked: string[] = [];
    const counted: KubeClient = {
      ...client,
      send: (request): Observable<unknown> =>
        client.send(request).pipe(
          tap({
            subscribe: () => {
              requests.begin();
              asked.push(`${request.method} ${request.path}`);
            },
          }),
          finalize(requests.end),
        ),
    };
    const dials = gauge();
    const reach: Reach = {
      ...direct,
      concurrency: 8,
      open: async (endpoint, namespace, signal) => {
        dials.begin();
        await turn();
        const socket = await direct.open({ ...endpoint, address: '127.0.0.1' }, namespace, signal);
        dials.end();
        return socket;
      },
    };
    const survey = await surveyCluster({ client: counted, reach, namespace: null, secrets: false });
    const { counts } = reportCluster(survey, { warnBeforeMs: 0 });

    expect(counts).to.deep.equal({ fail: 0, warn: 0, ok: WEBHOOKS + 1, unknown: 0 });
    expect(dials.all()).to.equal(WEBHOOKS * ENDPOINTS);
    expect(dials.most()).to.be.within(2, 8);
    expect(requests.most()).to.be.within(2, 16);
    // The version, four lists, one namespace, and three for each Service.
    expect(requests.all()).to.equal(6 + 3 * WEBHOOKS);
    expect(asked.filter((each) => !each.startsWith('GET '))).to.deep.equal([]);
    expect(asked.filter((each) => each.includes('/secrets'))).to.deep.equal([]);
  });
});
