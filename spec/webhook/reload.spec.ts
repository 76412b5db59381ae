import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { type Kill, reloader } from '../../src/webhook/reload.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { until } from '../support/until.ts';

const HUP = { kind: 'signal', signal: 'SIGHUP', command: 'nginx' } as const;

describe('RELOAD', () => {
  /** A folder like /proc with these processes: pid, parent, command. */
  const proc = async (folder: string, processes: readonly (readonly [number, number, string])[]): Promise<string> => {
    for (const [pid, parent, command] of processes) {
      await mkdir(join(folder, String(pid)));
      await writeFile(join(folder, String(pid), 'stat'), `${pid} (${command}) S ${parent} 1 1 0 -1\n`);
    }
    await mkdir(join(folder, 'sys'));
    await mkdir(join(folder, '99'));
    for (const name of ['self', 'a7', '7a']) {
      await mkdir(join(folder, name));
      await writeFile(join(folder, name, 'stat'), '7 (nginx) S 1 1 1 0 -1\n');
    }
    return folder;
  };

  it('signals the process that bears the name, and none of its workers of the same name', async () => {
    await using folder = await temporaryDirectory();
    const processes = await proc(folder.path, [
      [1, 0, 'pause'],
      [7, 1, 'nginx'],
      [8, 7, 'nginx'],
      [9, 7, 'nginx'],
      [20, 1, 'a) S (nginx'],
      [1234, 1, 'nginx'],
      [1235, 1234, 'nginx'],
    ]);
    const sent: Parameters<Kill>[] = [];
    const { ask } = reloader({ reload: HUP, kill: (...call) => sent.push(call), nowMs: () => 0, processes });
    expect(await ask('g')).to.equal(null);
    expect(sent).to.have.deep.members([
      [7, 'SIGHUP'],
      [1234, 'SIGHUP'],
    ]);
  });

  if (existsSync('/proc/self/comm'))
    it('looks for the process among all of the machine', async () => {
      const command = readFileSync('/proc/self/comm', 'utf8').trim();
      const sent: number[] = [];
      const { ask } = reloader({ reload: { ...HUP, command }, kill: (pid) => sent.push(pid), nowMs: () => 0 });
      expect(await ask('g')).to.equal(null);
      expect(sent).to.not.have.length(0);
    });

  it('is asked once for a generation, again after 30 s, and at once for the next', async () => {
    await using folder = await temporaryDirectory();
    const processes = await proc(folder.path, [[7, 1, 'nginx']]);
    let [nowMs, sent] = [0, 0];
    const { ask } = reloader({ reload: HUP, kill: () => (sent += 1), nowMs: () => nowMs, processes });
    const table = [
      ['g', 0, 1],
      ['g', 29_999, 1],
      ['g', 30_000, 2],
      ['h', 30_001, 3],
    ] as const;
    for (const [generation, atMs, times] of table) {
      nowMs = 1_000_000 + atMs;
      expect(await ask(generation)).to.equal(null);
      expect(sent, `${generation} at ${atMs}`).to.equal(times);
    }
  });

  it('says that no process bears the name, or that it may not be signalled, and is asked again at once', async () => {
    await using folder = await temporaryDirectory();
    const processes = await proc(folder.path, []);
    let fails = true;
    const kill = () => {
      if (fails) throw new Error('kill EPERM');
    };
    const { ask } = reloader({ reload: HUP, kill, nowMs: () => 0, processes });
    expect(await ask('g')).to.equal('no process with the command name nginx is visible');
    await mkdir(join(folder.path, '7'));
    await writeFile(join(folder.path, '7', 'stat'), '7 (nginx) S 1 1');
    expect(await ask('g')).to.equal('kill EPERM');
    fails = false;
    expect(await ask('g')).to.equal(null);
  });

  it('is a POST, whose failure is said with its status', async () => {
    const calls: string[] = [];
    let status = 503;
    const server = createServer((request, response) => {
      calls.push(`${request.method ?? ''} ${request.url ?? ''}`);
      response.writeHead(status).end('body');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    using opened = new DisposableStack();
    opened.defer(() => server.close());
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/reload?all`;
    const { ask } = reloader({ reload: { kind: 'http', url }, kill: () => undefined, nowMs: () => 0 });
    for (status of [503, 300]) expect(await ask('g')).to.equal(`POST ${url}: HTTP status ${status}`);
    status = 200;
    expect(await ask('g')).to.equal(null);
    status = 299;
    expect(await ask('h')).to.equal(null);
    expect(calls).to.deep.equal(Array.from({ length: 4 }, () => 'POST /reload?all'));
    server.close();
    await once(server, 'close');
    expect(await ask('i')).to.match(/ECONNREFUSED/);
  });

  it('takes the whole answer, however long', async () => {
    let finished = false;
    const server = createServer((_request, response) => {
      response.once('finish', () => (finished = true)).end('x'.repeat(10_000_000));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    using opened = new DisposableStack();
    opened.defer(() => server.close().closeAllConnections());
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const { ask } = reloader({ reload: { kind: 'http', url }, kill: () => undefined, nowMs: () => 0 });
    expect(await ask('g')).to.equal(null);
    await until(() => finished, 5_000);
  });

  it('is given up where no answer comes in time', async () => {
    const server = createServer(() => undefined).listen(0, '127.0.0.1');
    await once(server, 'listening');
    using opened = new DisposableStack();
    opened.defer(() => server.close().closeAllConnections());
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const reload = { kind: 'http', url } as const;
    const { ask } = reloader({ reload, kill: () => undefined, nowMs: () => 0, timeoutMs: 50 });
    expect(await ask('g')).to.equal(`POST ${url}: no answer within 50 ms`);
  });
});
