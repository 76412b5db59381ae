import { expect } from 'chai';
import { firstValueFrom, lastValueFrom, type Observable, of, throwError, toArray } from 'rxjs';
import { decodeCa, decodeSecret, decodeTarget } from '../../src/cluster/decode.ts';
import { clusterPaths } from '../../src/cluster/paths.ts';
import type { SelfSignedIssuer } from '../../src/cluster/self-signed-issuer.ts';
import { stepExecutor } from '../../src/cluster/step-executor.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { ApiError } from '../../src/kube/errors.ts';
import type { KubeRequest } from '../../src/kube/request.ts';
import type { WriteResult } from '../../streams/observe-cluster.ts';
import { Problem } from '../../streams/problem.ts';
import type { Precondition, Step } from '../../streams/step.ts';
import { parse } from '../config/parse.ts';
import { pki } from '../support/pki.ts';

const OWN_SERVICE = { serviceName: 'svc', namespace: 'ns', serviceNames: [] };
const decode = { secret: decodeSecret, ca: decodeCa };
const CONFIGURATION = 'validatingwebhookconfiguration/webhook';

describe('a caBundle that was written', () => {
  const configuration = (resourceVersion: string, pem: string) => ({
    metadata: { name: 'webhook', resourceVersion },
    webhooks: [{ name: 'first.example.com', clientConfig: { caBundle: Buffer.from(pem).toString('base64') } }],
  });
  const asState = decodeTarget('validatingwebhookconfiguration', OWN_SERVICE);

  /** Writes our CA where nothing stands; `readBack` is what the API server says when it is asked again. */
  const inject = async (readBack: (pem: string) => Observable<unknown>): Promise<[WriteResult, string]> => {
    const parsed = parse({ CA_BUNDLE_TARGETS: CONFIGURATION });
    if (!parsed.ok) throw new Error(parsed.problems.join());
    const paths = clusterPaths(parsed.config);
    const { certificatePem: pem } = await pki.authority();
    const before = asState(configuration('1', ''));
    const [trust = []] = asState(configuration('1', pem)).bundles;

    const answers = [of(configuration('1', '')), of(configuration('2', pem)), readBack(pem)];
    const asked: string[] = [];
    const send = ({ method }: KubeRequest): Observable<unknown> => {
      asked.push(method);
      return answers[asked.length - 1] ?? throwError(() => new Error('asked too often'));
    };
    const ports = stepExecutor({ send } as KubeClient, paths, {} as SelfSignedIssuer);
    const step = { kind: 'inject', target: CONFIGURATION, trust, plannedOn: before } satisfies Step;
    const touched = await firstValueFrom(ports.perform(step, () => true));
    expect(asked).to.deep.equal(['GET', 'PATCH', 'GET']);
    return [touched, pem];
  };

  it('is what stands there when it is read back', async () => {
    const [touched] = await inject(() => of(configuration('3', '')));
    expect(touched).to.deep.equal({
      object: 'target',
      id: CONFIGURATION,
      state: asState(configuration('3', '')),
    });
  });

  it('is what the API server said of the write when it cannot be read back, so that a fight is counted', async () => {
    const [touched, pem] = await inject(() => throwError(() => new ApiError('GET: 503', { status: 503 })));
    expect(touched).to.deep.equal({
      object: 'target',
      id: CONFIGURATION,
      state: asState(configuration('2', pem)),
    });
  });

  it('is no excuse for a bug', async () => {
    const bug = new TypeError('a bug');
    const failure = await inject(() => throwError(() => bug)).then(
      () => null,
      (error: unknown) => error,
    );
    expect(failure).to.equal(bug);
  });

  const secretOf = (resourceVersion: string, values: Readonly<Record<string, Buffer | string>>) => ({
    metadata: { name: 'certs', resourceVersion },
    data: Object.fromEntries(
      Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
    ),
  });
  const preconditions = {
    secret: async (resourceVersion: string) => {
      const { certificate, key, trust } = await pki.pair();
      return secretOf(resourceVersion, { 'tls.crt': certificate, 'tls.key': key, 'ca.crt': trust });
    },
    ca: async (resourceVersion: string) => {
      const { certificatePem, keyPem } = await pki.authority();
      return secretOf(resourceVersion, { 'ca.crt': certificatePem, 'ca.key': keyPem, 'ca-bundle.crt': certificatePem });
    },
  };

  for (const precondition of ['secret', 'ca'] as const) {
    describe(`on precondition of ${precondition === 'secret' ? 'the Secret' : 'SECRET-ca'}`, () => {
      const written = preconditions[precondition];

      /** What stands there now, and what the decision to narrow rested on. */
      const narrow = async (now: unknown, before: unknown) => {
        const parsed = parse({
          CA_BUNDLE_TARGETS: CONFIGURATION,
          // Only where another program issues is the Secret a precondition.
          CERT_ISSUER: precondition === 'secret' ? 'external' : 'self-signed',
        });
        if (!parsed.ok) throw new Error(parsed.problems.join());
        const paths = clusterPaths(parsed.config);
        const { certificatePem: pem } = await pki.authority();
        const writes: string[] = [];
        const send = ({ method, path }: KubeRequest): Observable<unknown> => {
          if (method !== 'GET') writes.push(path);
          return of(path === paths[precondition].path ? now : configuration('1', pem));
        };
        const ports = stepExecutor({ send } as KubeClient, paths, {} as SelfSignedIssuer);
        const plannedOn = asState(configuration('1', pem));
        const inject = { kind: 'inject', target: CONFIGURATION, trust: [], plannedOn } as const;
        const step = {
          ...inject,
          precondition: { object: precondition, state: decode[precondition](before) } as Precondition,
        };
        return { ports, step, writes, standing: plannedOn };
      };

      it('is written while that stands', async () => {
        const { ports, step, writes } = await narrow(await written('7'), await written('7'));
        await firstValueFrom(ports.perform(step, () => true));
        expect(writes).to.have.lengthOf(1);
      });

      it('is not written once another stands there, and both are read again', async () => {
        const now = await written('8');
        const { ports, step, writes, standing } = await narrow(now, await written('7'));
        const failure = await firstValueFrom(ports.perform(step, () => true)).then(
          () => null,
          (error: unknown) => error,
        );
        expect(failure).to.be.instanceOf(Problem).with.property('status', 409);
        expect(writes).to.deep.equal([]);
        expect(await lastValueFrom(ports.refresh(step).pipe(toArray()))).to.deep.equal([
          { object: precondition, state: decode[precondition](now) },
          { object: 'target', id: CONFIGURATION, state: standing },
        ]);
      });
    });
  }
});

describe('pruning SECRET-ca', () => {
  /** The data of the write that prunes to these older CAs. */
  const dataOf = async (kind: 'prune-ca-bundle' | 'extend-ca-bundle', older: number) => {
    const parsed = parse({ CA_BUNDLE_TARGETS: CONFIGURATION });
    if (!parsed.ok) throw new Error(parsed.problems.join());
    const paths = clusterPaths(parsed.config);
    const cas = await Promise.all([pki.authority(), pki.authority()]);
    const object = (pem: string) => ({
      metadata: { name: 'ca', resourceVersion: '7' },
      data: {
        'ca.crt': Buffer.from(cas[0].certificatePem).toString('base64'),
        'ca.key': Buffer.from(cas[0].keyPem).toString('base64'),
        'ca-bundle.crt': Buffer.from(pem).toString('base64'),
      },
    });
    const before = object(cas.map(({ certificatePem }) => certificatePem).join(''));
    const writes: KubeRequest[] = [];
    const send = (request: KubeRequest): Observable<unknown> => {
      writes.push(request);
      return of(before);
    };
    const plannedOn = decodeCa(before);
    const step = { kind, keep: plannedOn.bundle.slice(1, 1 + older), plannedOn } satisfies Step;
    await firstValueFrom(stepExecutor({ send } as KubeClient, paths, {} as SelfSignedIssuer).perform(step, () => true));
    return (writes[0]?.body as { readonly data: Readonly<Record<string, string | null>> }).data;
  };

  it('removes the cross-signed CA once no older CA is kept', async () => {
    expect(await dataOf('prune-ca-bundle', 0)).to.have.property('ca-bridge.crt', null);
  });

  it('keeps the cross-signed CA while an older CA is kept', async () => {
    expect(await dataOf('prune-ca-bundle', 1)).not.to.have.property('ca-bridge.crt');
    expect(await dataOf('extend-ca-bundle', 1)).not.to.have.property('ca-bridge.crt');
  });
});
