import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import * as streams from '../streams/index.ts';
import { configurationDocument } from './support/write-configuration.ts';

const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
};
const document = (name: string): string => readFileSync(new URL(`../docs/${name}`, import.meta.url), 'utf8');

describe('the surface', () => {
  it('of streams/ is this and no more', () => {
    expect(Object.keys(streams).toSorted()).to.deep.equal([
      'Problem',
      'follower',
      'planExternal',
      'planIssuance',
      'planRelay',
      'replica',
      'resumingWatch',
      'retryWithBackoff',
      'singleFlight',
    ]);
  });

  it('in configuration is what docs/configuration.md lists (npx node spec/support/write-configuration.ts writes it)', () => {
    expect(document('configuration.md')).to.equal(configurationDocument());
  });

  it('in runtime dependencies is small, pinned, and each has its reason in docs/architecture.md', () => {
    const architecture = document('architecture.md');
    const names = Object.keys(manifest.dependencies);
    expect(names).to.have.length.at.most(10);
    for (const name of names) expect(architecture, name).to.include(`\`${name}\``);
    for (const version of Object.values({ ...manifest.dependencies, ...manifest.devDependencies }))
      expect(version).to.match(/^\d+\.\d+\.\d+$/);
  });
});
