import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { Problem } from '../../streams/problem.ts';
import { manifests, manifestText } from '../manifests/manifests.ts';
import { parseInstallation } from '../manifests/options.ts';
import { messageOf } from '../util/errors.ts';

export interface InitOptions {
  /** Null: the name of the folder. */
  readonly name: string | null;
  /** Null: the name of the installation. */
  readonly namespace: string | null;
  /** What package.json gets webhook-certd from; null: this version. */
  readonly package: string | null;
}

interface InitDependencies {
  readonly print: (text: string) => void;
  /** A relative folder is resolved from it. */
  readonly directory: string;
  readonly version: string;
}

/** Every object of the installation, with the handler in an image of the project's name. */
const manifestsOf = ({ name, namespace }: ProjectNames): string => {
  const options = {
    namespace,
    createNamespace: true,
    mode: 'handler',
    replicas: 2,
    targets: null,
    issuer: 'self-signed',
    additions: [],
    image: `${name}:0.1.0`,
    appImage: '',
  } as const;
  const flags = new Map([
    ['name', name],
    ['webhook-handler', HANDLER_IN_IMAGE],
  ]);
  const result = parseInstallation(options, flags);
  if (!result.ok) throw new Problem(result.problems.join('\n'));
  return manifests(result.spec).map(manifestText).join('---\n');
};

/** @throws Problem when the folder holds anything, or cannot be made */
const makeEmptyFolder = (folder: string, given: string): void => {
  let names: readonly string[];
  try {
    mkdirSync(folder, { recursive: true });
    names = readdirSync(folder).filter((name) => name !== '.git');
  } catch (error) {
    throw new Problem(`${given}: ${messageOf(error)}`);
  }
  if (names.length > 0) throw new Problem(`${given}: expected a new or empty folder, and it holds ${names[0] ?? ''}`);
};

/**
 * `webhook-certd init`: writes a project with a handler, its test, a Dockerfile and manifests into a new or empty folder.
 *
 * @throws Problem when the folder is not empty, or a name cannot be used
 */
export const runInit = (
  given: string,
  options: InitOptions,
  { print, directory, version }: InitDependencies,
): number => {
  const folder = resolve(directory, given);
  const name = options.name ?? basename(folder);
  const names = { name, namespace: options.namespace ?? name, version, source: options.package ?? version };
  // Before anything is written: it checks the names.
  const files = { ...projectFiles(names), 'manifests.yaml': manifestsOf(names) };
  makeEmptyFolder(folder, given);
  // Never over a file that has appeared meanwhile.
  for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text, { flag: 'wx' });
  print(`wrote ${Object.keys(files).join(', ')}\nnext: cd ${given} && npm install && npm test && npm start`);
  return 0;
};

/** What `webhook-certd init` writes, as functions of the names that the user has chosen. */
interface ProjectNames {
  readonly name: string;
  readonly namespace: string;
  readonly version: string;
  /** What package.json gets webhook-certd from. */
  readonly source: string;
}

const HANDLER = `import { type AdmissionHandler, allow, deny } from 'webhook-certd/handler';

/** Or V1ConfigMap of @kubernetes/client-node. */
interface ConfigMap {
  readonly metadata?: { readonly labels?: Readonly<Record<string, string>> };
  readonly data?: Readonly<Record<string, string>>;
}

const SECRET_KEY = /password|token/i;

/** Denies a ConfigMap of no team, and warns of a value that belongs in a Secret. */
const handler: AdmissionHandler<ConfigMap> = ({ object, operation }) => {
  // An object that was created before must remain deletable.
  if (operation === 'DELETE' || !object) return allow();
  if (!object.metadata?.labels?.['team']) return deny('label team is missing', 422);
  const secret = Object.keys(object.data ?? {}).filter((key) => SECRET_KEY.test(key));
  return secret.length === 0 ? allow() : allow({ warnings: [\`keep \${secret.join(', ')} in a Secret\`] });
};

export default handler;
`;

const TEST = `import assert from 'node:assert/strict';
import test from 'node:test';
import { callHandler } from 'webhook-certd/testing';
import handler from './handler.ts';

const configMap = (labels: Readonly<Record<string, string>>, data: Readonly<Record<string, string>> = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'settings', namespace: 'default', labels },
  data,
});

test('admits a ConfigMap of a team', async () => {
  const { allowed, warnings } = await callHandler(handler, { object: configMap({ team: 'blue' }) });
  assert.deepEqual({ allowed, warnings }, { allowed: true, warnings: [] });
});

test('denies a ConfigMap of no team', async () => {
  const { allowed, message, code } = await callHandler(handler, { object: configMap({}) });
  assert.deepEqual({ allowed, message, code }, { allowed: false, message: 'label team is missing', code: 422 });
});

test('warns of a password', async () => {
  const { warnings } = await callHandler(handler, { object: configMap({ team: 'blue' }, { password: 'x' }) });
  assert.deepEqual(warnings, ['keep password in a Secret']);
});

test('never hinders a delete', async () => {
  const { allowed } = await callHandler(handler, { object: configMap({}), operation: 'DELETE' });
  assert.equal(allowed, true);
});
`;

const packageJson = ({ name, source }: ProjectNames): string =>
  `${JSON.stringify(
    {
      name,
      private: true,
      type: 'module',
      engines: { node: '>=24' },
      scripts: {
        test: 'node --test',
        types: 'tsc',
        try: 'webhook-certd try handler.ts object.yaml',
        start: 'webhook-certd demo --handler ./handler.ts --review object.yaml',
      },
      // `node` brings its own Node, so that the scripts do not depend on the machine's: an older one finds no test at all.
      devDependencies: { '@types/node': '^26.0.0', node: '^26.0.0', typescript: '^6.0.0', 'webhook-certd': source },
      allowScripts: { node: true },
    },
    null,
    2,
  )}\n`;

const COMPILER_OPTIONS = {
  target: 'es2024',
  module: 'nodenext',
  types: ['node'],
  strict: true,
  noUncheckedIndexedAccess: true,
  erasableSyntaxOnly: true,
  verbatimModuleSyntax: true,
  allowImportingTsExtensions: true,
  skipLibCheck: true,
  noEmit: true,
};

const object = ({ name }: ProjectNames): string => `apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
  namespace: default
  labels:
    team: blue
    # The webhook configuration in manifests.yaml concerns ConfigMaps with this label.
    ${name}/validate: 'true'
data:
  password: example
`;

const dockerfile = ({
  version,
}: ProjectNames): string => `# Node and webhook-certd come from the base image, which provides webhook-certd/handler.
FROM webhook-certd:${version}
COPY handler.ts /app/
ENV WEBHOOK_HANDLER=/app/handler.ts
`;

const readme = ({ name, namespace, version }: ProjectNames): string => `# ${name}

An admission webhook: \`handler.ts\` decides, webhook-certd serves it and rotates its certificates.

\`\`\`sh
npm install
npm test        # handler.test.ts
npm run try     # the handler's answer to object.yaml
npm start       # the handler in three replicas on a cluster inside this process; Ctrl-C ends it
npm run types   # checks the types
\`\`\`

On a cluster, with an image of webhook-certd ${version} as the base:

\`\`\`sh
docker build -t REGISTRY/${name}:0.1.0 . && docker push REGISTRY/${name}:0.1.0
sed 's|image: ${name}:|image: REGISTRY/${name}:|' manifests.yaml | kubectl apply -f -
kubectl -n ${namespace} rollout status deployment/${name}
kubectl apply -f object.yaml
\`\`\`

What the webhook is called for is in the ValidatingWebhookConfiguration in \`manifests.yaml\`: ConfigMaps with the label \`${name}/validate: 'true'\`.
`;

/** The file that the handler is in the image. */
const HANDLER_IN_IMAGE = '/app/handler.ts';

/** The files of a new project, by name, except for its manifests. */
const projectFiles = (names: ProjectNames): Readonly<Record<string, string>> => ({
  'package.json': packageJson(names),
  'tsconfig.json': `${JSON.stringify({ compilerOptions: COMPILER_OPTIONS, include: ['*.ts'] }, null, 2)}\n`,
  'handler.ts': HANDLER,
  'handler.test.ts': TEST,
  'object.yaml': object(names),
  Dockerfile: dockerfile(names),
  '.dockerignore': '*\n!handler.ts\n',
  '.gitignore': 'node_modules/\n',
  'README.md': readme(names),
});
