import { expect } from 'chai';
import { until } from '../support/until.ts';
import { type Creates, keepCreating, noCreates, printCreates } from './creates.ts';
import { kubectl } from './kubectl.ts';

export const kubeconfig = process.env['KUBECONFIG'] ?? '';
export const image = process.env['IMAGE'] ?? '';

/** KUBECONFIG names the cluster, IMAGE an image that its nodes have or can pull. */
export const expectCluster = (): void => {
  expect(kubeconfig, 'KUBECONFIG').not.to.equal('');
  expect(image, 'IMAGE').not.to.equal('');
};

/** An installation that is called all the time. */
export interface Day {
  creates: Creates;
  /** Begins to call, and resolves once some calls have succeeded. */
  begin(): Promise<void>;
}

/**
 * Registers the hooks of a suite that goes through the day of one installation.
 *
 * @param clients namespace of the objects that are created
 * @param manifests what the suite applies, and what is deleted in the end
 */
export const dayOf = (clients: string, manifests: () => Promise<string>): Day => {
  const day: Day = {
    creates: noCreates,
    begin: async () => {
      day.creates = await keepCreating(kubeconfig, clients);
      await until(() => day.creates.count > 50);
      expect(day.creates.failures).to.deep.equal([]);
    },
  };
  before(async () => {
    expectCluster();
    await kubectl(['create', 'namespace', clients]);
  });
  after(async () => {
    await day.creates[Symbol.asyncDispose]();
    await kubectl(['delete', 'namespace', clients, '--wait=false']);
    await kubectl(['delete', '-f', '-', '--ignore-not-found'], await manifests());
  });
  afterEach(() => printCreates(day.creates));
  return day;
};
