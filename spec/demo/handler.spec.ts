import { expect } from 'chai';
import { openHandler } from '../../src/demo/handler.ts';

const problemOf = (handler: string | null, review: string | null): Promise<string> =>
  openHandler({ handler, review }, '.').then(
    () => 'no problem',
    (error: unknown) => (error as Error).message,
  );

describe("the demo's handler", () => {
  it('is asked about the given object, and a denial counts as an answer', async () => {
    const opened = await openHandler(
      { handler: 'examples/handlers/policy-file.ts', review: 'examples/objects/deployment.yaml' },
      '.',
    );
    expect(opened?.question).to.include({ path: '/validate', mustAllow: false });
    expect(opened?.question.request.kind.kind).to.equal('Deployment');
    expect(opened?.answer.join()).to.match(/^✘ denied {3}Deployment default\/shop: name a version of each image/);
  });

  it('is called on its first path, with a ConfigMap unless an object is given', async () => {
    const opened = await openHandler({ handler: 'examples/handlers/default-field.ts', review: null }, '.');
    expect(opened?.question.path).to.equal('/mutate');
    expect(opened?.question.request.kind.kind).to.equal('ConfigMap');
  });

  it('is absent unless one is named', async () => {
    expect(await openHandler({ handler: null, review: null }, '.')).to.equal(null);
  });

  it('is refused before the demo starts if it cannot be used', async () => {
    expect(await problemOf(null, 'pod.yaml')).to.equal('--review: expected only with --handler');
    expect(await problemOf('./gone.ts', null)).to.match(/^handler \.\/gone\.ts: no such file/);
    expect(await problemOf('examples/handlers/require-labels.ts', 'gone.yaml')).to.match(/^gone\.yaml: /);
    expect(await problemOf('spec/author/failing-handler.ts', null)).to.match(/the handler failed: always/);
  });
});
