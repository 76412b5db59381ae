import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { openClientCa } from '../../src/webhook/client-ca.ts';
import { pki } from '../support/pki.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary-directory.ts';

describe('the client authorities', () => {
  let folder: TemporaryDirectory;
  let file: string;
  let older: string;
  let newer: string;
  before(async () => {
    [older, newer] = (await Promise.all([pki.authority(), pki.authority()])).map((one) => one.certificatePem) as [
      string,
      string,
    ];
  });
  beforeEach(async () => {
    folder = await temporaryDirectory();
    file = join(folder.path, 'ca.crt');
  });
  afterEach(() => folder[Symbol.asyncDispose]());

  const open = async () => {
    const changes: string[] = [];
    const problems: string[] = [];
    const authority = await openClientCa(file, {
      onChange: (pem) => changes.push(pem.toString()),
      onProblem: (problem) => problems.push(problem),
    });
    return { authority, changes, problems };
  };

  it('are followed when the file changes, and only then', async () => {
    await writeFile(file, older);
    const { authority, changes, problems } = await open();
    await authority.read();
    expect(changes).to.deep.equal([]);
    await writeFile(file, older + newer);
    await authority.read();
    await authority.read();
    expect(changes).to.deep.equal([older + newer]);
    expect(authority.pem.toString()).to.equal(older + newer);
    expect(problems).to.deep.equal([]);
  });

  it('stay what they were while the file cannot be used, which is told once', async () => {
    await writeFile(file, older);
    const { authority, changes, problems } = await open();
    await rm(file);
    await authority.read();
    await authority.read();
    expect(problems).to.deep.equal([`CLIENT_CA_FILE ${file}: ENOENT`]);
    expect(authority.pem.toString()).to.equal(older);
    await writeFile(file, newer);
    await authority.read();
    await rm(file);
    await authority.read();
    expect([changes, problems.length]).to.deep.equal([[newer], 2]);
  });

  const unusable: readonly (readonly [string, () => string, RegExp])[] = [
    ['is empty, which to Node would mean every public authority', () => '', /holds no PEM certificate$/],
    ['holds something else', () => 'secret words', /holds no PEM certificate$/],
    ['holds a broken certificate', () => older.replace(/\n.{10}/, '\n'), /PEM block 1 .+$/],
    ['is huge', () => 'x'.repeat(300_000), /has more than 262144 bytes$/],
  ];
  for (const [what, text, reason] of unusable) {
    it(`are refused at the start when the file ${what}`, async () => {
      await writeFile(file, text());
      const failure = await open().catch((error: unknown) => error as Error);
      expect(failure).to.include({ name: 'Problem' });
      expect((failure as Error).message)
        .to.match(reason)
        .and.include(`CLIENT_CA_FILE ${file}: `)
        .and.not.include('secret');
    });
  }
});
