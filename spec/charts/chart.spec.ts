import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import Ajv from 'ajv';
import { expect } from 'chai';
import { load, loadAll } from 'js-yaml';
import { VERSION } from '../../src/config/version.ts';
import { manifests } from '../../src/manifests/manifests.ts';
import { goBinary } from '../support/go-binary.ts';
import type { Json } from '../support/raw-api.ts';
import { runToolWithInput } from '../support/run-tool.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { CHART, chartFiles } from '../support/write-chart.ts';
import { installationOf } from '../support/write-manifests.ts';

type Members = Readonly<Record<string, Json>>;

interface Case {
  readonly title: string;
  readonly values: Members;
  /** The command line that prints the same. */
  readonly args: readonly string[];
  /** What only the chart can set, as fields of the webhook. */
  readonly webhook?: Members;
}

const RULES: Json = [
  {
    apiGroups: ['apps'],
    apiVersions: ['v1'],
    operations: ['*'],
    resources: ['deployments', 'deployments/*'],
    scope: '*',
  },
];
const WEBHOOK = { rules: RULES, objectSelector: {}, failurePolicy: 'Ignore', timeoutSeconds: 3 };

const CASES: readonly Case[] = [
  { title: 'no values', values: {}, args: [] },
  {
    title: 'a name, an image and a number of replicas',
    values: { name: 'invoices', replicas: 5, image: { repository: 'registry.example.com:5000/certd', tag: 'latest' } },
    args: ['--name=invoices', '--replicas=5', '--image=registry.example.com:5000/certd:latest'],
  },
  {
    title: 'a digest and a single replica',
    values: { replicas: 1, image: { repository: 'certd', digest: `sha256:${'0'.repeat(64)}` } },
    args: ['--replicas=1', `--image=certd@sha256:${'0'.repeat(64)}`],
  },
  {
    title: 'a handler of the user’s, and durations',
    values: {
      env: {
        WEBHOOK_HANDLER: '/app/handler.js',
        CERT_VALIDITY: '90d',
        SHUTDOWN_GRACE: '1500ms',
        LEADER_ELECTION: false,
      },
    },
    args: [
      ...['--webhook-handler=/app/handler.js', '--cert-validity=90d', '--shutdown-grace=1500ms'],
      '--leader-election=false',
    ],
  },
  {
    title: 'the mode upstream, with a time limit of its own',
    values: {
      mode: 'upstream',
      app: { image: 'registry.example.com/app:2' },
      env: { UPSTREAM_URL: 'http://localhost:7000/', UPSTREAM_TIMEOUT: '90s', SHUTDOWN_GRACE: '2m' },
    },
    args: [
      ...['--mode=upstream', '--app-image=registry.example.com/app:2', '--upstream-url=http://localhost:7000/'],
      ...['--upstream-timeout=90s', '--shutdown-grace=2m'],
    ],
  },
  {
    title: 'the mode serving beside a manager of controller-runtime',
    values: { mode: 'serving', app: { image: 'manager' }, networkPolicy: { enabled: true } },
    args: ['--mode=serving', '--app-image=manager', '--with=network-policy'],
  },
  {
    title: 'the mode serving with addresses, a signal and metrics',
    values: {
      mode: 'serving',
      env: {
        SERVING_ADDRESS: '127.0.0.1:9999',
        RELOAD: 'signal:HUP:nginx',
        HEALTH_PROBE_BIND_ADDRESS: ':7001',
        METRICS_BIND_ADDRESS: ':7002',
      },
      monitoring: { enabled: true },
      networkPolicy: { enabled: true },
    },
    args: [
      ...['--serving-address=127.0.0.1:9999', '--reload=signal:HUP:nginx', '--health-probe-bind-address=:7001'],
      ...['--metrics-bind-address=:7002', '--with=monitoring,network-policy'],
    ],
  },
  {
    title: 'an external issuer, with names of its own',
    values: {
      issuer: 'external',
      env: { SECRET_NAME: 'tls', SERVICE_NAME: 'hook', EXTRA_DNS_NAMES: 'A.example.com, b.c' },
    },
    args: ['--issuer=external', '--secret-name=tls', '--service-name=hook', '--extra-dns-names=A.example.com, b.c'],
  },
  {
    title: 'a relay of what cert-manager issues',
    values: { issuer: 'relay', env: { SERVICE_NAME: 'hook' } },
    args: ['--issuer=relay', '--service-name=hook'],
  },
  {
    title: 'a relay of what is issued into a Secret already',
    values: { issuer: 'relay', env: { SOURCE_SECRET: 'vault-tls', CA_OVERLAP: '2h' } },
    args: ['--issuer=relay', '--source-secret=vault-tls', '--ca-overlap=2h'],
  },
  {
    title: 'everything that can be added',
    values: { policy: { enabled: true }, monitoring: { enabled: true }, networkPolicy: { enabled: true } },
    args: ['--with=policy,monitoring,network-policy'],
  },
  {
    title: 'ports and a prefix of its own, without metrics',
    values: {
      env: {
        WEBHOOK_BIND_ADDRESS: ':8443',
        HEALTH_PROBE_BIND_ADDRESS: '0.0.0.0:7001',
        METRICS_BIND_ADDRESS: 0,
        ANNOTATION_PREFIX: 'certs.example.com',
        LEASE_NAME: 'elect',
        CERT_DIR: '/certs',
      },
      policy: { enabled: true },
      monitoring: { enabled: true },
      networkPolicy: { enabled: true },
    },
    args: [
      ...['--webhook-bind-address=:8443', '--health-probe-bind-address=0.0.0.0:7001', '--metrics-bind-address=0'],
      ...['--annotation-prefix=certs.example.com', '--lease-name=elect', '--cert-dir=/certs'],
      '--with=policy,monitoring,network-policy',
    ],
  },
  {
    title: 'targets of the user’s',
    values: { targets: ['customresourcedefinition/x.example.com', 'apiservice/v1.a', 'apiservice/v1.b'] },
    args: ['--target=customresourcedefinition/x.example.com,apiservice/v1.a,apiservice/v1.b'],
  },
  { title: 'no targets', values: { targets: [] }, args: ['--ca-bundle-targets='] },
  { title: 'a webhook of the user’s', values: { webhook: WEBHOOK }, args: [], webhook: WEBHOOK },
];

/** As Helm lays the user's values over those of the chart. */
const coalesce = (standard: Json, given: Json): Json => {
  const isMap = (value: Json): value is Members => typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isMap(standard) || !isMap(given)) return given;
  const merged = Object.entries(given).map(([key, value]) => [key, coalesce(standard[key] ?? null, value)]);
  return { ...standard, ...(Object.fromEntries(merged) as Members) };
};

const read = (path: string): string => readFileSync(join(CHART, path), 'utf8');
const standard = load(read('values.yaml')) as Json;
const meta = load(read('Chart.yaml')) as Readonly<Record<string, string>>;

const validate = new Ajv({ allErrors: true }).compile(JSON.parse(read('values.schema.json')) as object);
const objections = (values: Json): readonly string[] => {
  validate(coalesce(standard, values));
  return (validate.errors ?? []).map(({ dataPath, message }) => `${dataPath} ${message ?? ''}`);
};

describe('the chart', () => {
  for (const [path, text] of chartFiles())
    it(`has the ${path} that is made from the code (npx node spec/support/write-chart.ts writes it)`, () => {
      expect(read(path)).to.equal(text);
    });

  it('has the version of the program', () => {
    expect(meta).to.include({ version: VERSION, appVersion: VERSION });
  });

  it('leaves the caBundle to the daemon, reads nothing of the cluster, and makes no certificate', () => {
    const texts = readdirSync(join(CHART, 'templates')).map((file) => [file, read(join('templates', file))] as const);
    expect(texts).to.have.length.above(8);
    const forbidden =
      /caBundle|\blookup\b|\bgen(?:CA|SelfSigned|Signed|Private)\w*\b|\brand\w+\b|\bnow\b|\bderivePassword\b/;
    expect(texts.filter(([, text]) => forbidden.test(text)).map(([file]) => file)).to.deep.equal([]);
  });

  it('takes the values of every case by its schema, and its own', () => {
    for (const { title, values } of CASES) expect(objections(values), title).to.deep.equal([]);
  });

  for (const [values, objection] of [
    [{ nmae: 'a' }, /should NOT have additional properties/],
    [{ name: 'Orders' }, /^\.name should match pattern/],
    [{ mode: 'proxy' }, /^\.mode should be equal to one of the allowed values/],
    [{ env: { CERT_VALIDTY: '90d' } }, /^\.env should NOT have additional properties/],
    [{ env: { NAME: 'a' } }, /^\.env should NOT have additional properties/],
    [{ targets: ['vwc/a'] }, /^\.targets\[0\] should match pattern/],
    [{ webhook: { clientConfig: {} } }, /should NOT be valid/],
    [{ replicas: 0 }, /^\.replicas should be >= 1/],
    [{ policy: true }, /^\.policy should be object/],
  ] as const)
    it(`refuses ${JSON.stringify(values)} by its schema`, () => {
      expect(
        objections(values).some((each) => objection.test(each)),
        objections(values).join(),
      ).to.equal(true);
    });

  const go = goBinary();
  const SPRIG = '/usr/share/gocode/src/github.com/Masterminds/sprig';
  // Not a pending spec elsewhere: those are forbidden, and a machine without Go and sprig has nothing to render with.
  if (go !== null && existsSync(SPRIG) && existsSync('/usr/share/gocode/src/gopkg.in/yaml.v3'))
    describe('rendered with Go’s text/template and sprig', () => {
      const answers: { readonly files?: Readonly<Record<string, string>>; readonly error?: string }[] = [];
      const refused: readonly (readonly [Members, RegExp])[] = [
        [{ name: 'a'.repeat(51) }, /name ".*": expected a name of at most 50/],
        [{ name: '1st' }, /name "1st": expected a name/],
        [
          { mode: 'upstream', env: { UPSTREAM_URL: 'unix:/run/app.sock' } },
          /env\.UPSTREAM_URL: expected an address on 127/,
        ],
      ];
      before(async function () {
        this.timeout(180_000);
        await using directory = await temporaryDirectory();
        const program = join(directory.path, 'render');
        const env = {
          ...{ PATH: process.env['PATH'] ?? '', HOME: directory.path, GOCACHE: join(directory.path, 'cache') },
          ...{ GO111MODULE: 'off', GOPATH: '/usr/share/gocode', GOFLAGS: '' },
        };
        const source = new URL('./render.go', import.meta.url).pathname;
        await promisify(execFile)(go, ['build', '-o', program, source], { env, cwd: directory.path });
        const jobs = [...CASES.map(({ values }) => values), ...refused.map(([values]) => values)].map((values) => {
          // What Helm calls Chart has its first letters in upper case.
          const chart = { Name: meta['name'], Version: meta['version'], AppVersion: meta['appVersion'] };
          return JSON.stringify({
            chart: CHART,
            values: coalesce(standard, values),
            meta: chart,
            name: 'orders',
            namespace: 'shop',
          });
        });
        const stdout = await runToolWithInput(`${jobs.join('\n')}\n`, program, []);
        answers.push(
          ...stdout
            .trimEnd()
            .split('\n')
            .map((line) => JSON.parse(line) as (typeof answers)[number]),
        );
      });

      const objectsOf = (at: number): Readonly<Record<string, Json>> => {
        const { files = {}, error } = answers[at] ?? {};
        expect(error).to.equal(undefined);
        const objects = Object.entries(files)
          .filter(([file]) => file.endsWith('.yaml'))
          .flatMap(([, text]) => loadAll(text) as Json[])
          .filter((object) => object !== null);
        return byId(objects);
      };
      const byId = (objects: readonly Json[]): Readonly<Record<string, Json>> => {
        const entries = objects.map((object) => {
          const { kind, metadata } = object as { readonly kind: string; readonly metadata: { readonly name: string } };
          return [`${kind}/${metadata.name}`, object] as const;
        });
        expect(new Set(entries.map(([id]) => id)).size).to.equal(entries.length);
        return Object.fromEntries(entries);
      };
      /** The dashboard as what it says: `manifests` prints it with other line breaks. */
      const parsed = (objects: Readonly<Record<string, Json>>): Readonly<Record<string, Json>> =>
        Object.fromEntries(
          Object.entries(objects).map(([id, object]) => {
            if (!id.startsWith('ConfigMap/')) return [id, object];
            const { data, ...rest } = object as Members;
            return [
              id,
              { ...rest, data: JSON.parse((data as Record<string, string>)['webhook-certd.json'] ?? '') as Json },
            ];
          }),
        );

      for (const [at, { title, args, webhook }] of CASES.entries())
        it(`is with ${title} what \`manifests ${args.join(' ')}\` prints, object by object`, () => {
          const spec = installationOf(['--name=orders', '--namespace=shop', ...args]);
          const printed = manifests({ ...spec, webhook: webhook ?? spec.webhook }).map(
            ({ object }) => JSON.parse(JSON.stringify(object)) as Json,
          );
          const [chart, command] = [parsed(objectsOf(at)), parsed(byId(printed))];
          expect(Object.keys(chart)).to.have.members(Object.keys(command));
          for (const [id, object] of Object.entries(command)) expect(chart[id], id).to.deep.equal(object);
        });

      for (const [at, [values, refusal]] of refused.entries())
        it(`refuses ${JSON.stringify(values)} while it is rendered`, () => {
          expect(answers[CASES.length + at]?.error).to.match(refusal);
        });

      it('ends with notes that name the installation, and what to set', () => {
        const notes = (at: number): string => answers[at]?.files?.['NOTES.txt'] ?? '';
        expect(notes(0)).to.match(/^orders is installed in shop\./);
        expect(notes(0)).to.include('kubectl -n shop rollout status deployment/orders');
        expect(notes(0)).to.include("orders/validate: 'true'").and.include('env.WEBHOOK_HANDLER');
        expect(notes(0)).to.include('delete lease/orders secret/orders-cert secret/orders-cert-ca');
        const mode = CASES.findIndex(({ values }) => values['mode'] === 'upstream');
        expect(notes(mode)).not.to.include('admits everything');
        for (const each of CASES.keys()) expect(notes(each)).not.to.match(/\n{3}|<no value>|%!/);
      });
    });
});
