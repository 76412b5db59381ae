import { expect } from 'chai';
import fc from 'fast-check';
import { firstValueFrom, timeout } from 'rxjs';
import { openMount } from '../../src/certificates/mount.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { type FuzzLaw, openedLaw } from './fuzz-law.ts';
import { junkDirectory, litter } from './junk-directory.ts';

/** A busy machine included. */
const PATIENCE_MS = 5_000;
const problems =
  /^(torn|missing: tls\.key|(too-large|not-a-file): (tls\.crt|tls\.key|ca\.crt)|unreadable: (tls\.crt|tls\.key|ca\.crt|\.\.data) [A-Z]+)$/;

export const mount: readonly FuzzLaw[] = [
  openedLaw(
    'with anything in it is read in time and in little memory, or says what is wrong',
    temporaryDirectory,
    ({ path }) =>
      fc.asyncProperty(junkDirectory, async (names) => {
        await litter(path, names);
        const { arrayBuffers } = process.memoryUsage();
        const opened = openMount(path);
        const { hash, problem, generation } = await firstValueFrom(opened.read().pipe(timeout(PATIENCE_MS)));
        if (problem !== null) expect(problem).to.match(problems);
        expect(hash === null || problem === null).to.equal(true);
        expect(opened.kind()).to.be.oneOf(['plain', 'projected']);
        const files = opened.files(generation);
        for (const bytes of Object.values(files ?? {}) as (Buffer | null)[])
          expect(bytes?.length ?? 0).to.be.at.most(1024 * 1024);
        expect(process.memoryUsage().arrayBuffers - arrayBuffers).to.be.below(20 * 1024 * 1024);
      }),
  ),
];
