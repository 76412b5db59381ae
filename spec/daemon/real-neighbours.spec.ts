import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { type ApiUnderTest, startApiUnderTest } from '../support/api-under-test.ts';
import { goBinary, installedTool } from '../support/go-binary.ts';
import { install, type Installation, type SpecReplica } from '../support/installation.ts';
import {
  GO_PROGRAM,
  type ProgramNeighbour,
  type ServingPlace,
  startGo,
  startNginx,
  startPython,
} from '../support/neighbours/program-neighbour.ts';
import { runTool } from '../support/run-tool.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary-directory.ts';
import { until } from '../support/until.ts';

const ACKNOWLEDGED = 'Certificate acknowledged';
const PROVEN = 'Neighbour shows the announced certificate';
const ELSEWHERE = 'Neighbour shows another certificate';

describe('the certificate of a real server is proven', function () {
  this.timeout(120_000);
  let api: ApiUnderTest;
  let folder: TemporaryDirectory;
  before(async () => {
    api = await startApiUnderTest();
    folder = await temporaryDirectory();
  });
  after(async () => {
    await folder[Symbol.asyncDispose]();
    await api[Symbol.asyncDispose]();
  });

  const rotated = async (installation: Installation, what: 'leaf' | 'ca'): Promise<string> => {
    const before = await installation.leaseAnnotation('cert-hash');
    await installation.annotateLease({ rotate: what });
    await until(async () => (await installation.leaseAnnotation('cert-hash')) !== before);
    return (await installation.leaseAnnotation('cert-hash')) ?? '';
  };
  const isMounted = async ({ directory }: SpecReplica): Promise<void> =>
    until(() => existsSync(join(directory, 'tls.crt')), 40_000);
  const told = (server: string, hash: string, replica: SpecReplica): void => {
    const line = replica.lines.find(({ message, hash: proven }) => message === PROVEN && proven === hash);
    const loaded = replica.lines.find(
      ({ message, hash: of }) => message === 'Certificate loaded and verified' && of === hash,
    );
    console.log(
      `      ${server}: ${String(line?.['handshakes'])} handshakes, ${String(loaded?.['elapsedMs'])} ms from announced to proven`,
    );
  };
  /** Through a rotation of the leaf and one of the CA. */
  const expectProven = async (
    server: string,
    start: (place: ServingPlace) => ProgramNeighbour | Promise<ProgramNeighbour>,
    env: Readonly<Record<string, string>> = {},
  ): Promise<void> => {
    await using installation = await install(api, { env: { CA_OVERLAP: '0' } });
    await using replica = await installation.replica({ serving: true, env });
    await isMounted(replica);
    const { webhookPort: port, directory } = replica;
    await using program = await start({ port, directory });
    await replica.line(ACKNOWLEDGED, {}, 30_000);
    for (const what of ['leaf', 'ca', 'leaf'] as const) {
      const hash = await rotated(installation, what);
      await replica.line(ACKNOWLEDGED, { hash }, 30_000);
      told(server, hash, replica);
    }
    expect(program.stderr(), 'what the server complains of').to.not.match(/panic|Traceback|emerg/);
  };

  const python = installedTool('python3');
  if (python !== null) {
    it('of Python, which loads it into its SSL context when the file changes', () =>
      expectProven('Python', (place) => startPython(python, place, 'reload')));

    it('of Python with four workers behind one port, once all of them have loaded it', () =>
      expectProven('Python, 4 workers', (place) => startPython(python, place, 'prefork')));

    it('of Python that never loads it again, once that was restarted', async () => {
      await using installation = await install(api);
      await using replica = await installation.replica({ serving: true });
      await isMounted(replica);
      const { webhookPort: port, directory } = replica;
      const place = { port, directory };
      let hash = '';
      {
        await using program = startPython(python, place, 'never');
        const { hash: shown } = await replica.line(ACKNOWLEDGED, {}, 30_000);
        hash = await rotated(installation, 'leaf');
        await replica.line(ELSEWHERE, { hash, shown }, 30_000);
        expect(program.pid).to.be.above(0);
      }
      await using program = startPython(python, place, 'never');
      await replica.line(ACKNOWLEDGED, { hash }, 30_000);
      expect(program.pid).to.be.above(0);
    });
  }

  const nginx = installedTool('nginx', ['/usr/sbin']);
  if (nginx !== null)
    it('of nginx with four workers, which gets a SIGHUP by RELOAD', () =>
      expectProven('nginx', (place) => startNginx(nginx, place, folder.path), { RELOAD: 'signal:HUP:nginx' }));

  const go = goBinary();
  if (go !== null)
    it('of Go’s standard library, which reads it when its directory changes', async () => {
      const program = join(folder.path, 'neighbour');
      await runTool(go, 'build', '-o', program, GO_PROGRAM);
      await expectProven('Go', (place) => startGo(program, place));
    });
});
