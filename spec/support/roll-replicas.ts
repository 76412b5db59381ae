import { expect } from 'chai';
import type { Balancer } from './balancer.ts';
import type { SpecReplica } from './installation.ts';

/**
 * Restarts one replica after the other as a rollout does: SIGTERM, its end, another in its place, and the next once that
 * is Ready and the balancer has heard of it.
 */
export const rollReplicas = async (replicas: readonly SpecReplica[], balancer: Balancer): Promise<void> => {
  for (const leaving of replicas) {
    leaving.kill('SIGTERM');
    expect(await leaving.exit).to.equal(0);
    expect(leaving.lines.filter(({ level }) => level === 'error')).to.deep.equal([]);
    const next = leaving.again();
    balancer.add(next);
    await next.line('Ready', {}, 60_000);
    await balancer.heard(next);
  }
};
