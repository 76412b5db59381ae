import { readFileSync } from 'node:fs';
import { get } from 'node:https';
import { join } from 'node:path';
import { type FleetAsked, type FleetOrder, type FleetReply, leaseOf } from './fleet-protocol.ts';

/** The baseline of a fleet: as many bare watches of a Lease, each with node:https and JSON.parse and no more. */
const AT_ONCE = 10;
let expected: string | null = null;
const seen = new Map<number, number>();
let watches = 0;

const tell = (reply: FleetReply): void => void process.send?.(reply);

const note = (watch: number, line: string): void => {
  const { object } = JSON.parse(line) as { readonly object: { metadata: { annotations?: Record<string, string> } } };
  const hash = object.metadata.annotations?.['kubetemplater.io/cert-hash'];
  if (expected === null || hash !== expected || seen.has(watch)) return;
  seen.set(watch, performance.timeOrigin + performance.now());
  if (seen.size === watches) tell({ type: 'seen', atMs: [...seen.values()] });
};

const open = ({ env, host, port, account }: FleetOrder): Promise<void> =>
  new Promise((resolve, reject) => {
    const number = watches++;
    const { collection, name } = leaseOf(env['POD_NAMESPACE'] ?? '');
    const path = `${collection}?watch=true&timeoutSeconds=3600&fieldSelector=metadata.name%3D${name}`;
    const authorization = `Bearer ${readFileSync(join(account, 'token'), 'utf8')}`;
    const ca = readFileSync(join(account, 'ca.crt'));
    get({ host, port, path, ca, agent: false, headers: { authorization, accept: 'application/json' } }, (response) => {
      let rest = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        const lines = (rest + text).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) note(number, line);
      });
      resolve();
    }).on('error', reject);
  });

const add = async (order: FleetOrder): Promise<FleetReply> => {
  for (let from = 0; from < order.names.length; from += AT_ONCE)
    await Promise.all(order.names.slice(from, from + AT_ONCE).map(() => open(order)));
  return { type: 'added' };
};

process.on('message', (asked: FleetAsked) => {
  if (asked.type === 'add') void add(asked).then(tell);
  else if (asked.type === 'expect') {
    expected = asked.hash;
    seen.clear();
    tell({ type: 'expecting' });
  } else {
    globalThis.gc?.();
    tell({ type: 'measured', rssMiB: process.memoryUsage.rss() / 2 ** 20 });
  }
});
process.on('disconnect', () => process.exit());
