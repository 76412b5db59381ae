import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { z } from 'zod';
import { build } from './build.ts';
import { sbom } from './sbom.ts';
import { writeNotices } from './write-notices.ts';
import { writeSbom } from './write-sbom.ts';

const root = join(import.meta.dirname, '..', '..');

/** The fields that CycloneDX 1.6's JSON schema requires, and the forms it gives those that we write. */
const hash = z.strictObject({
  alg: z.enum(['SHA-1', 'SHA-256', 'SHA-384', 'SHA-512']),
  content: z.string().regex(/^([a-f0-9]{40}|[a-f0-9]{64}|[a-f0-9]{96}|[a-f0-9]{128})$/),
});
const licenses = z.union([
  z.array(z.strictObject({ license: z.strictObject({ id: z.string().regex(/^[\w.+-]+$/) }) })).min(1),
  z.tuple([z.strictObject({ expression: z.string().min(1) })]),
]);
const component = z.strictObject({
  type: z.enum(['application', 'library']),
  'bom-ref': z.string().min(1),
  group: z.string().optional(),
  name: z.string().min(1),
  version: z.string().regex(/^\d+\.\d+\.\d+/),
  scope: z.literal('required').optional(),
  hashes: z.array(hash).length(1),
  licenses,
  purl: z.string().regex(/^pkg:npm\/(?:%40[\w.-]+\/)?[\w.-]+@\d+\.\d+\.\d+[\w.-]*$/),
});
const schema = z.strictObject({
  $schema: z.literal('http://cyclonedx.org/schema/bom-1.6.schema.json'),
  bomFormat: z.literal('CycloneDX'),
  specVersion: z.literal('1.6'),
  serialNumber: z.string().regex(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/),
  version: z.int().min(1),
  metadata: z.strictObject({
    tools: z.strictObject({ components: z.array(component.pick({ type: true, name: true, version: true })) }),
    component,
  }),
  components: z.array(component).min(1),
  dependencies: z.array(z.strictObject({ ref: z.string(), dependsOn: z.array(z.string()) })),
});

describe('the bill of materials', function () {
  this.timeout(60_000);
  let folder: string;
  let text: string;
  let notices: string;
  let bundle: string;
  let sources: readonly string[];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sbom-'));
    const outfile = join(folder, 'program.js');
    const { inputs } = await build({ entry: join(root, 'src', 'main.ts'), outfile, sourcemap: true });
    await writeSbom(root, outfile, inputs, join(folder, 'sbom.cdx.json'));
    await writeNotices(root, inputs, join(folder, 'notices.txt'));
    text = await readFile(join(folder, 'sbom.cdx.json'), 'utf8');
    notices = await readFile(join(folder, 'notices.txt'), 'utf8');
    bundle = await readFile(outfile, 'utf8');
    ({ sources } = JSON.parse(await readFile(`${outfile}.map`, 'utf8')) as { sources: readonly string[] });
  });
  after(() => rm(folder, { recursive: true }));

  it('has beside it the licence of every package that it lists, with its text', () => {
    const { components } = schema.parse(JSON.parse(text));
    const [intro = '', ...parts] = notices.split(new RegExp(`^={80}$`, 'm'));
    expect(intro.trim()).to.equal('webhook-certd contains the following packages.');
    const found = new Map(
      parts.flatMap((head, at) => (at % 2 === 0 ? [[head.trim().split(',')[0], parts[at + 1] ?? '']] : [])),
    );
    expect([...found.keys()]).to.have.members(
      components.map(({ group, name, version }) => `${group === undefined ? '' : `${group}/`}${name} ${version}`),
    );
    for (const [name, licence] of found) {
      expect(licence, name).to.match(/permission|redistribution|apache license|permitted/i);
      expect(licence, name).not.to.include('contains no text');
    }
  });

  it('has what CycloneDX 1.6 requires, every reference once and every reference met', () => {
    const { components, dependencies, metadata } = schema.parse(JSON.parse(text));
    const refs = [metadata.component, ...components].map((one) => one['bom-ref']);
    expect(new Set(refs).size).to.equal(refs.length);
    expect(dependencies.map(({ ref }) => ref)).to.have.members(refs);
    for (const { dependsOn } of dependencies) expect(refs).to.include.members(dependsOn);
  });

  it('names the packages that files of stand in the bundle, and no other', () => {
    // The source map tells it once more, by another road than the bundler's account of itself.
    const paths = sources.flatMap((path) => /(?:.*\/)?node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []);
    const { components } = schema.parse(JSON.parse(text));
    const named = components.map(({ group, name }) => (group === undefined ? name : `${group}/${name}`));
    expect(new Set(named)).to.deep.equal(new Set(paths));
    expect(named).to.include.members(['rxjs', 'undici', '@peculiar/x509', 'zod']);
    expect(named).to.not.include.members(['mocha', 'typescript']);
  });

  it('has the hashes of the lock file and of the bundle', async () => {
    const { components, metadata } = schema.parse(JSON.parse(text));
    const lock = await readFile(join(root, 'package-lock.json'), 'utf8');
    for (const { hashes, purl } of components) {
      const base64 = Buffer.from(hashes[0]?.content ?? '', 'hex').toString('base64');
      expect(lock, purl).to.include(`"sha512-${base64}"`);
    }
    const digest = await crypto.subtle.digest('SHA-256', Buffer.from(bundle));
    expect(metadata.component.hashes[0]?.content).to.equal(Buffer.from(digest).toString('hex'));
  });

  it('tells no host but that of its schema, and no path of this machine', () => {
    expect(text.match(/https?:\/\/[^/"]+/g)).to.deep.equal(['http://cyclonedx.org']);
    expect(text).to.not.include(root).and.not.include('node_modules');
  });

  it('is refused for a package that the lock file does not pin', () => {
    const program = { name: 'p', version: '1.0.0', license: 'MIT' };
    const given = { program, bundle: Buffer.alloc(0), bundler: { name: 'esbuild', version: '1.0.0' } };
    const inputs = ['src/main.ts', 'node_modules/a/index.js'];
    expect(() => sbom({ ...given, inputs, locked: {} })).to.throw('node_modules/a is not pinned in the lock file');
    expect(() => sbom({ ...given, inputs, locked: { 'node_modules/a': { version: '1.0.0' } } })).to.throw('not pinned');
  });
});
