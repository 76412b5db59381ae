import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import * as streams from '../streams/index.ts';
import { readmeWithConfiguration } from './support/write-configuration.ts';

const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
};
const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

describe('the surface', () => {
  it('of streams/ is this and no more', () => {
    expect(Object.keys(streams).toSorted()).to.deep.equal([
      'Problem',
      'follower',
      'planExternal',
      'planIssuance',
      'replica',
      'resumingWatch',
      'retryWithBackoff',
      'singleFlight',
    ]);
  });

  it('in configuration is told by the README as it is (node spec/support/write-configuration.ts writes it)', () => {
    expect(readme).to.equal(readmeWithConfiguration());
  });

  it('in runtime dependencies is small, pinned, and each has its reason in the README', () => {
    const names = Object.keys(manifest.dependencies);
    expect(names).to.have.length.at.most(10);
    for (const name of names) expect(readme, name).to.include(`\`${name}\``);
    for (const version of Object.values({ ...manifest.dependencies, ...manifest.devDependencies }))
      expect(version).to.match(/^\d+\.\d+\.\d+$/);
  });
});
