import { expect } from 'chai';
import { type ApiUnderTest, startApiUnderTest } from '../support/api-under-test.ts';
import { accepted } from '../support/raw-api.ts';
import { layOut } from './scene.ts';
import { sceneObjects } from './scene-objects.ts';

const OLD = 'before-it-moved-in';

describe('what check says of a Pod without webhook-certd', function () {
  this.timeout(60_000);
  let api: ApiUnderTest;
  before(async () => {
    api = await startApiUnderTest();
  });
  after(() => api[Symbol.asyncDispose]());

  const layOutBeside = async () => {
    const scene = await layOut(api);
    const template = { spec: { containers: [{ name: 'webhook', image: 'none' }] } };
    await accepted(api.admin.post(scene.paths.pods, sceneObjects.pod(OLD, template, {})));
    return scene;
  };

  it('is a failure while it stays: neither its mount nor its certificate can be right', async () => {
    await using scene = await layOutBeside();
    const { named } = await scene.check();
    expect(named(`replica ${OLD} mounts the Secret`).status).to.equal('fail');
    expect(named(`replica ${OLD} serves the announced certificate`).status).to.equal('fail');
  });

  it('is nothing to mend once it is being deleted, for as long as it still answers', async () => {
    await using scene = await layOutBeside();
    await accepted(api.admin.delete(`${scene.paths.pods}/${OLD}?gracePeriodSeconds=30`));
    const { checks, named } = await scene.check();
    expect(named(`replica ${OLD} serves the announced certificate`)).to.include({
      status: 'skipped',
      detail: 'the Pod is being deleted',
    });
    const toMend = checks.filter(({ name, status }) => name.includes(OLD) && ['fail', 'warn'].includes(status));
    expect(toMend).to.deep.equal([]);
  });
});
