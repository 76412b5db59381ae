import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { expect } from 'chai';
import { reviewText } from '../support/admission-review.ts';
import { type ApiUnderTest, startApiUnderTest } from '../support/api-under-test.ts';
import { freePort } from '../support/free-port.ts';
import { install } from '../support/installation.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { until } from '../support/until.ts';
import { call } from '../support/webhook-call.ts';

const FOLDER = join(import.meta.dirname, '..', '..', 'examples', 'upstreams');

/** Debian's package libgoogle-gson-java. */
const GSON = '/usr/share/java/gson.jar';

interface Example {
  readonly file: string;
  readonly command: readonly [string, ...string[]];
  /** What must be installed beside the command. */
  readonly needs?: string;
}

const EXAMPLES: readonly Example[] = [
  { file: 'main.go', command: ['go', 'run', 'main.go'] },
  { file: 'webhook.py', command: ['python3', 'webhook.py'] },
  { file: 'Webhook.java', command: ['java', '-cp', GSON, 'Webhook.java'], needs: GSON },
];

const isInstalled = ({ command: [program], needs }: Example): boolean =>
  (needs === undefined || existsSync(needs)) &&
  (process.env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, program)));

/** Ends with its children: `go run` starts the program that it has built. */
const startExample = ({ command: [program, ...args] }: Example, port: number, cache: string): AsyncDisposable => {
  const child = spawn(program, args, {
    cwd: FOLDER,
    env: { ...process.env, LISTEN_ADDRESS: `127.0.0.1:${port}`, GOCACHE: cache },
    stdio: 'ignore',
    detached: true,
  });
  const ended = once(child, 'exit');
  return {
    [Symbol.asyncDispose]: async () => {
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
      await ended;
    },
  };
};

describe('the example upstreams', function () {
  this.timeout(120_000);
  let api: ApiUnderTest;
  before(async () => {
    api = await startApiUnderTest();
  });
  after(() => api[Symbol.asyncDispose]());

  for (const { file } of EXAMPLES)
    it(`${file} has at most 40 lines`, () => {
      expect(readFileSync(join(FOLDER, file), 'utf8').trimEnd().split('\n').length).to.be.at.most(40);
    });

  for (const example of EXAMPLES.filter(isInstalled))
    it(`${example.file} answers behind the front: denies an object without the label, and never a delete`, async () => {
      const port = await freePort();
      const env = { WEBHOOK_HANDLER: '', UPSTREAM_URL: `http://127.0.0.1:${port}` };
      await using cache = await temporaryDirectory();
      await using opened = new AsyncDisposableStack();
      opened.use(startExample(example, port, cache.path));
      await using installation = await install(api, { env });
      await using replica = await installation.replica();
      await replica.line('Certificate loaded and verified');
      const options = { port: replica.webhookPort, path: '/validate?timeout=10s', rejectUnauthorized: false };
      await until(async () => (await call({ ...options, body: reviewText() })).status === 200, 90_000);
      const ask = async (request: Readonly<Record<string, unknown>>): Promise<unknown> => {
        const { status, text } = await call({ ...options, body: reviewText({ uid: 'u-1', ...request }) });
        expect(status, text).to.equal(200);
        return JSON.parse(text);
      };
      const answer = (response: object): object => ({
        apiVersion: 'admission.k8s.io/v1',
        kind: 'AdmissionReview',
        response: { uid: 'u-1', ...response },
      });
      const labelled = { object: { metadata: { labels: { team: 'blue' } } } };
      expect(await ask(labelled)).to.deep.equal(answer({ allowed: true }));
      const denial = { allowed: false, status: { code: 422, message: 'label team is missing' } };
      for (const object of [{ metadata: {} }, { metadata: { labels: { app: 'a' } } }])
        expect(await ask({ object })).to.deep.equal(answer(denial));
      const deletion = { operation: 'DELETE', object: null, oldObject: { metadata: {} } };
      expect(await ask(deletion)).to.deep.equal(answer({ allowed: true }));
    });
});
