import { expect } from 'chai';
import { virtualTime } from '../support/virtual-time.ts';
import { clusterModel } from './cluster-model.ts';
import { allLaws } from './laws/all-laws.ts';
import { minimised } from './minimised.ts';
import { plantedBugs } from './planted-bugs.ts';
import { findingSeed, MOST_HISTORIES } from './planted-bugs-table.ts';
import { scenarioFrom } from './scenario-from.ts';
import { violationReport } from './violation-report.ts';
import { withPlantedBug } from './with-planted-bug.ts';

describe('the simulation', function () {
  this.timeout(120_000);

  for (const bug of plantedBugs) {
    it(`finds that ${bug.name} (${bug.laws.join(' or ')})`, async () => {
      const run = await withPlantedBug(bug);
      const seed = findingSeed(run, bug);
      expect(seed, `found within ${MOST_HISTORIES} histories`).to.not.equal(null);
      if (seed !== bug.seed)
        console.log(`      now found by seed ${seed}: run spec/simulation/planted-bugs-table.ts, which writes it down`);
    });
  }

  it('has a planted bug for each law', () => {
    const laws = virtualTime((time) => {
      const model = clusterModel(scenarioFrom(1), time);
      return allLaws.map((law) => law(model).name);
    });
    const broken = new Set(plantedBugs.flatMap((bug) => bug.laws));
    expect([...laws, 'convergence'].filter((law) => !broken.has(law))).to.deep.equal([]);
  });

  it('tells a person how a law was broken: the seed, the faults it takes and what happened', async () => {
    const bug = plantedBugs.find(({ laws }) => laws.includes('L8'))!;
    const run = await withPlantedBug(bug);
    const seed = findingSeed(run, bug) ?? bug.seed;
    const report = violationReport(seed, run);
    expect(report).to.match(/^L8 is broken: leaf\d+ does not verify where ca\d+ is put back/);
    expect(report).to.include(`npm run simulate -- --runs 1 --seed ${seed}`);
    expect(report).to.match(/\d+ of \d+ faults needed:\n/);
    expect(report).to.match(/timeline \(s\):\n(?:.*\n)*.*wrote secret \(issue-leaf\)/);
  });

  it('says which faults a violation needs, and no more', async () => {
    const bug = plantedBugs.find(({ laws }) => laws.includes('L2'))!;
    const run = await withPlantedBug(bug);
    const scenario = scenarioFrom(findingSeed(run, bug) ?? bug.seed);
    const { faults } = minimised(scenario, 'L2', run);
    expect(run({ ...scenario, faults }).violation?.law).to.equal('L2');
    for (const fault of faults) {
      const fewer = faults.filter((other) => other !== fault);
      expect(run({ ...scenario, faults: fewer }).violation?.law).to.not.equal('L2');
    }
  });
});
