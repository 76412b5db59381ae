import { expect } from 'chai';
import { type ApiUnderTest, startApiUnderTest } from '../support/api-under-test.ts';
import { type IssuedValues, issuingProgram } from '../support/issuing-program.ts';
import { type CheckRun, layOut, type Scene, type SceneOptions } from './scene.ts';

const RELAYED = { CERT_ISSUER: 'relay', SOURCE_SECRET: 'issued', SERVICE_NAME: 'svc' };
const USABLE = 'SOURCE_SECRET can be relayed';

describe('check of an installation that relays', function () {
  this.timeout(60_000);
  let api: ApiUnderTest;
  before(async () => {
    api = await startApiUnderTest();
  });
  after(() => api[Symbol.asyncDispose]());

  const programOf = ({ namespace, paths }: Scene) =>
    issuingProgram(api.admin, paths.source?.path ?? '', [`svc.${namespace}.svc`]);
  const mountedValues = ({ pair }: Scene): IssuedValues => ({
    'tls.crt': pair.certificate.toString(),
    'tls.key': pair.key.toString(),
    'ca.crt': pair.trust.toString(),
  });

  const checked = async (
    source: (scene: Scene) => Promise<IssuedValues | null> | IssuedValues | null,
    options: SceneOptions = {},
  ): Promise<CheckRun> => {
    await using scene = await layOut(api, { ...options, env: { ...RELAYED, ...options.env } });
    const values = await source(scene);
    if (values !== null) await programOf(scene).write(values);
    return await scene.check();
  };

  it('finds nothing where the source is what is mounted', async () => {
    const { code, checks, named } = await checked(mountedValues);
    expect(checks.filter(({ status }) => status === 'fail')).to.deep.equal([]);
    expect(code).to.equal(0);
    for (const name of [USABLE, 'SOURCE_SECRET says which CA signs', 'SOURCE_SECRET is what is mounted'])
      expect(named(name).status, name).to.equal('ok');
    expect(named('configuration is complete').detail).to.include('certificates from Secret issued');
    expect(named('CA exists').detail).to.equal('CERT_ISSUER=relay: another issuer keeps the CA');
  });

  it('fails where the source does not exist, and shows it', async () => {
    const { code, named } = await checked(() => null);
    expect(named(USABLE)).to.deep.include({ status: 'fail' });
    expect(named(USABLE).detail).to.match(/^Secret issued: it does not exist; what is mounted stays in use/);
    expect(named(USABLE).remedy).to.match(/^kubectl describe secret issued -n /);
    expect(code).to.equal(1);
  });

  it('fails where callers would refuse the source, and shows what cert-manager says about it', async () => {
    const { named } = await checked(async (scene) => {
      const program = programOf(scene);
      return { ...(await program.issue('ca')), 'ca.crt': (await program.issue('self-signed'))['ca.crt'] };
    });
    expect(named(USABLE).status).to.equal('fail');
    expect(named(USABLE).detail).to.include('untrusted-chain');
    expect(named(USABLE).remedy).to.match(/^kubectl describe certificate webhook -n /);
  });

  it('warns where another certificate is mounted, and where the source has no ca.crt', async () => {
    const waiting = await checked(async (scene) => programOf(scene).issue('ca'));
    expect(waiting.named('SOURCE_SECRET is what is mounted').status).to.equal('warn');
    const unknown = await checked((scene) => ({ ...mountedValues(scene), 'ca.crt': undefined }));
    expect(unknown.named('SOURCE_SECRET says which CA signs').status).to.equal('warn');
    expect(unknown.named(USABLE).status).to.equal('ok');
  });

  it('fails where a replica mounts the source', async () => {
    const mountsSource: SceneOptions['template'] = (template) =>
      JSON.parse(
        JSON.stringify(template).replaceAll('"secretName":"kubetemplater-webhook-cert"', '"secretName":"issued"'),
      ) as typeof template;
    const { named } = await checked(mountedValues, { template: mountsSource });
    expect(named('no replica mounts SOURCE_SECRET').status).to.equal('fail');
    expect(named('no replica mounts SOURCE_SECRET').detail).to.include('mount kubetemplater-webhook-cert');
  });
});
