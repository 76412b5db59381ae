import { createHash } from 'node:crypto';

/** What the lock file says of one installed package, by its path. */
export interface LockedPackage {
  readonly version?: string;
  readonly license?: string;
  /** `sha512-BASE64` of the published archive. */
  readonly integrity?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

export interface SbomInput {
  /** Paths of the files that went into the bundle, from the root of the project. */
  readonly inputs: readonly string[];
  /** `packages` of package-lock.json. */
  readonly locked: Readonly<Record<string, LockedPackage>>;
  readonly program: { readonly name: string; readonly version: string; readonly license: string };
  readonly bundle: Uint8Array;
  readonly bundler: { readonly name: string; readonly version: string };
}

const purlOf = (name: string, version: string): string => `pkg:npm/${name.replace('@', '%40')}@${version}`;

/** `node_modules/a/node_modules/@b/c` of a file below it; null for a file of our own. */
export const packageOf = (path: string): string | null =>
  /^(?<package>(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.groups?.['package'] ?? null;

const nameOf = (path: string): string => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);

/** Where Node would find it: beside the package, or beside any package that it stands in. */
const resolved = (from: string, name: string, paths: ReadonlySet<string>): string | null => {
  for (let below = from; ; below = below.slice(0, Math.max(0, below.lastIndexOf('/node_modules/')))) {
    const path = `${below === '' ? '' : `${below}/`}node_modules/${name}`;
    if (paths.has(path)) return path;
    if (below === '') return null;
    if (!below.includes('/node_modules/')) below = '';
  }
};

const hexOf = (integrity: string): { readonly alg: string; readonly content: string } => {
  const [, bits = '', base64 = ''] = /^sha(\d+)-(.+)$/.exec(integrity.split(' ')[0] ?? '') ?? [];
  return { alg: `SHA-${bits}`, content: Buffer.from(base64, 'base64').toString('hex') };
};

const licensesOf = (license: string | undefined): readonly object[] => {
  if (license === undefined) return [];
  return /\s/.test(license) ? [{ expression: license }] : [{ license: { id: license } }];
};

/** A UUID that is the same for the same bundle (RFC 9562, version 8). */
const serialOf = (bundle: Uint8Array): string => {
  const hex = createHash('sha256').update(bundle).digest('hex');
  return `urn:uuid:${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
};

/**
 * A software bill of materials, CycloneDX 1.6, of what is truly in a bundle: the packages that files came from, not those
 * that are merely installed. It has no time in it, so that the same source makes the same bytes.
 *
 * @throws Error when a package is not in the lock file, or stands there without version or integrity
 */
export const sbom = ({ inputs, locked, program, bundle, bundler }: SbomInput): object => {
  const paths = new Set(inputs.flatMap((path) => packageOf(path) ?? []));
  const lockOf = (path: string): Required<Pick<LockedPackage, 'version' | 'integrity'>> & LockedPackage => {
    const { version, integrity, ...rest } = locked[path] ?? {};
    if (version === undefined || integrity === undefined) throw new Error(`${path} is not pinned in the lock file`);
    return { version, integrity, ...rest };
  };
  const refOf = (path: string): string => purlOf(nameOf(path), lockOf(path).version);
  const needs = (path: string): readonly string[] => {
    const { dependencies, optionalDependencies, peerDependencies } = locked[path] ?? {};
    const names = Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies });
    const found = names.flatMap((name) => resolved(path, name, paths) ?? []);
    return [...new Set(found.map(refOf))].sort();
  };
  const components = [...paths].sort().map((path) => {
    const { version, license, integrity } = lockOf(path);
    const [group, name] = nameOf(path).startsWith('@') ? nameOf(path).split('/') : [undefined, nameOf(path)];
    return {
      type: 'library',
      'bom-ref': refOf(path),
      ...(group === undefined ? {} : { group }),
      name,
      version,
      scope: 'required',
      hashes: [hexOf(integrity)],
      licenses: licensesOf(license),
      purl: refOf(path),
    };
  });
  const own = purlOf(program.name, program.version);
  const unique = [...new Map(components.map((component) => [component['bom-ref'], component])).values()];
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: serialOf(bundle),
    version: 1,
    metadata: {
      tools: { components: [{ type: 'application', ...bundler }] },
      component: {
        type: 'application',
        'bom-ref': own,
        name: program.name,
        version: program.version,
        licenses: licensesOf(program.license),
        purl: own,
        hashes: [{ alg: 'SHA-256', content: createHash('sha256').update(bundle).digest('hex') }],
      },
    },
    components: unique,
    dependencies: [
      { ref: own, dependsOn: needs('') },
      ...[
        ...new Map(
          [...paths].sort().map((path) => [refOf(path), { ref: refOf(path), dependsOn: needs(path) }]),
        ).values(),
      ],
    ],
  };
};
