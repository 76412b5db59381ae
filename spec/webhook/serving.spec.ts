import { expect } from 'chai';
import { firstValueFrom } from 'rxjs';
import { openMount } from '../../src/certificates/mount.ts';
import { loadPorts, type TlsEndpoint } from '../../src/webhook/serving.ts';
import { parse } from '../config/parse.ts';
import { pairOf } from '../support/pair-of.ts';

describe('a load', () => {
  it('shakes hands with itself at once at a start, and lets callers go first after a swap', async () => {
    const parsed = parse();
    if (!parsed.ok) throw new Error(parsed.problems.join());
    const pair = { ...pairOf('a'), trust: null };
    let handshakes = 0;
    const face: TlsEndpoint = {
      serve: () => Promise.resolve(),
      handshake: () => Promise.resolve({ fingerprint: pair.leaf.fingerprint, nth: (handshakes += 1) }),
      retire: () => undefined,
      drain: () => Promise.resolve(),
      address: null,
    };
    const ports = loadPorts(openMount('/nowhere'), face, null, parsed.config);
    for (const [before, after] of [
      [1, 1],
      [1, 2],
    ]) {
      await firstValueFrom(ports.serve(pair));
      const verdict = firstValueFrom(ports.handshake(pair));
      expect(handshakes).to.equal(before);
      expect(await verdict).to.equal(null);
      expect(handshakes).to.equal(after);
    }
  });
});
