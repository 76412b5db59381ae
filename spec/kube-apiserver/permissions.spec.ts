import { randomBytes } from 'node:crypto';
import { dirname } from 'node:path';
import { expect } from 'chai';
import type { Permission } from '../../src/cluster/permissions.ts';
import { type ApiGate, startApiGate } from '../support/api-gate.ts';
import { type AuditedRequest, auditedRequests } from '../support/audited-requests.ts';
import { contestedEvents } from '../support/contested-events.ts';
import { election } from '../support/election.ts';
import { install, type Installation, type SpecReplica } from '../support/installation.ts';
import { pki } from '../support/pki.ts';
import { accepted, type Json } from '../support/raw-api.ts';
import { type RealApi, startRealApi } from '../support/real-api.ts';
import { startRival } from '../support/rival.ts';
import { LOADED, rotateAll, settled } from '../support/rotate-all.ts';
import { standingObjects } from '../support/standing-objects.ts';
import { until } from '../support/until.ts';
import { webhookTarget } from '../support/webhook-target.ts';
import { writeInWords } from '../support/write-in-words.ts';

const HASTY = { ...election(2), CA_OVERLAP: '200ms' };

/** A verb on one object, or on what cannot be named. */
interface Right {
  readonly verb: string;
  readonly permission: Permission;
  readonly name: string | null;
}

const rightsOf = (granted: readonly Permission[]): readonly Right[] =>
  granted.flatMap((permission) =>
    permission.verbs.flatMap((verb) =>
      (permission.names.length === 0 ? [null] : permission.names).map((name) => ({ verb, permission, name })),
    ),
  );

const covers = ({ verb, permission, name }: Right, request: AuditedRequest): boolean =>
  verb === request.verb &&
  permission.apiGroup === request.group &&
  permission.resource === request.resource &&
  permission.namespace === request.namespace &&
  (name === null || name === request.name);

const inWords = ({ verb, permission, name }: Right): string => `${verb} ${permission.resource} ${name ?? '(any)'}`;

describe('the permissions of a daemon', function () {
  this.timeout(90_000);
  const id = randomBytes(4).toString('hex');
  let api: RealApi;
  before(async () => {
    api = await startRealApi({ audit: true });
  });
  after(() => api[Symbol.asyncDispose]());

  /** Every right was used, none was lacking. */
  const expectExact = async ({ user, granted }: Installation): Promise<void> => {
    const requests = auditedRequests(await api.auditLog()).filter((request) => request.user === user);
    const rights = rightsOf(granted);
    const lacking = requests.filter((request) => !rights.some((right) => covers(right, request)));
    const idle = rights.filter((right) => !requests.some((request) => covers(right, request)));
    console.log(`      ${requests.length} requests, ${rights.length} rights, ${idle.length} of them never used`);
    expect(requests.filter(({ code }) => code === 403)).to.deep.equal([]);
    expect(lacking).to.deep.equal([]);
    expect(idle.map(inWords)).to.deep.equal([]);
  };

  /** Rewrites the target until its leader calls it a fight, and until the next leader, who knows nothing of it, does. */
  const fightTwice = async (installation: Installation, replicas: readonly SpecReplica[]): Promise<void> => {
    const { paths } = installation;
    const told = async (count: number): Promise<boolean> =>
      (await contestedEvents(installation)).some((event) => event['count'] === count);
    await using opened = new AsyncDisposableStack();
    const value = Buffer.from((await pki.authority()).certificatePem).toString('base64');
    const patch = [{ op: 'add', path: '/webhooks/0/clientConfig/caBundle', value }];
    opened.use(startRival(api.admin, paths.target, 'json', patch));
    await until(() => told(1));
    const holder = (await api.admin.get(paths.lease)).at('spec', 'holderIdentity');
    replicas.find(({ name }) => name === holder)?.kill('SIGTERM');
    await until(() => told(2));
  };

  const twoReplicas = async (
    installation: Installation,
    gates: readonly ApiGate[],
  ): Promise<readonly SpecReplica[]> => {
    const replicas: SpecReplica[] = [];
    for (const gate of gates) replicas.push(await installation.replica({ via: gate }));
    return replicas;
  };

  const others = [
    `mutatingwebhookconfiguration/mutating-${id}`,
    `customresourcedefinition/nothings.${id}.webhook-certd.dev`,
    `apiservice/v1.api-${id}.webhook-certd.dev`,
  ];

  /** Creates one target of each other type, for the Service of the installation: nothing else is maintained. Nobody calls them. */
  const createOthers = async ({ namespace, serverName }: Installation): Promise<void> => {
    const clientConfig = { url: 'https://localhost:1/' };
    const names = { plural: 'nothings', singular: 'nothing', kind: 'Nothing' };
    const version = { served: true, schema: { openAPIV3Schema: { type: 'object' } } };
    const objects: readonly (readonly [collection: string, body: Json])[] = [
      [webhookTarget.collection.replace('validating', 'mutating'), webhookTarget.body(`mutating-${id}`)],
      [
        '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
        {
          metadata: { name: `nothings.${id}.webhook-certd.dev` },
          spec: {
            group: `${id}.webhook-certd.dev`,
            names,
            scope: 'Namespaced',
            versions: [{ ...version, name: 'v1', storage: true }],
            conversion: { strategy: 'Webhook', webhook: { clientConfig, conversionReviewVersions: ['v1'] } },
          },
        },
      ],
      [
        '/apis/apiregistration.k8s.io/v1/apiservices',
        {
          metadata: { name: `v1.api-${id}.webhook-certd.dev` },
          spec: {
            group: `api-${id}.webhook-certd.dev`,
            version: 'v1',
            groupPriorityMinimum: 100,
            versionPriority: 100,
            service: { namespace, name: serverName.split('.')[0] ?? '' },
          },
        },
      ],
    ];
    for (const [collection, body] of objects) await accepted(api.admin.post(collection, body));
  };

  it('are all used in a whole life, and none is lacking', async () => {
    await using opened = new AsyncDisposableStack();
    const gates = [opened.use(await startApiGate(api)), opened.use(await startApiGate(api))];
    const installation = opened.use(await install(api, { env: HASTY, otherTargets: others }));
    await createOthers(installation);
    const replicas = await twoReplicas(installation, gates);
    await Promise.all(replicas.map((replica) => replica.line(LOADED, {}, 40_000)));
    // Without a watch the Lease is read at each tick.
    api.endWatches();
    const objects = opened.use(await standingObjects(installation));
    await settled(objects, 15_000);

    // Somebody labels the Secret in the very moment of its renewal: the leader must look at it again.
    let isTouched = false;
    for (const gate of gates)
      gate.keeper = {
        asked: async (passing) => {
          if (isTouched || writeInWords(passing) !== 'Secret: new leaf') return;
          isTouched = true;
          await api.admin.patch('merge', installation.paths.secret, { metadata: { labels: { touched: 'yes' } } });
        },
      };
    await rotateAll('leaf', installation, objects, { replicas, withinMs: 15_000 });
    await rotateAll('ca', installation, objects, { replicas, withinMs: 15_000 });
    await settled(objects, 15_000);
    await fightTwice(installation, replicas);
    await expectExact(installation);
  });

  it('are fewer where somebody else issues, and all used there too', async () => {
    await using opened = new AsyncDisposableStack();
    const gates = [opened.use(await startApiGate(api)), opened.use(await startApiGate(api))];
    const installation = opened.use(await install(api, { env: { ...HASTY, CERT_ISSUER: 'external' } }));
    const { paths, serverName } = installation;
    const secret = async (): Promise<Json> => {
      const { certificate, key, trust } = await pki.pair({ names: [serverName] });
      const entries = { 'tls.crt': certificate, 'tls.key': key, 'ca.crt': trust };
      return Object.fromEntries(Object.entries(entries).map(([name, bytes]) => [name, bytes.toString('base64')]));
    };
    const name = paths.secret.split('/').at(-1) ?? '';
    await api.admin.post(dirname(paths.secret), {
      metadata: { name },
      type: 'kubernetes.io/tls',
      data: await secret(),
    });
    const replicas = await twoReplicas(installation, gates);
    await Promise.all(replicas.map((replica) => replica.line(LOADED, {}, 40_000)));
    api.endWatches();
    for (const replica of replicas) replica.mark();
    await api.admin.patch('merge', paths.secret, { data: await secret() });
    await Promise.all(replicas.map((replica) => replica.line(LOADED, {}, 40_000)));
    // The Secret is read right before trust is taken away on its account.
    await until(async () => {
      const target = await api.admin.get(paths.target);
      const bundle = Buffer.from(target.at('webhooks', 0, 'clientConfig', 'caBundle') as string, 'base64').toString();
      return bundle.split('BEGIN CERTIFICATE').length === 2;
    });
    await fightTwice(installation, replicas);
    await expectExact(installation);
  });
});
