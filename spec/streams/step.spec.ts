import { expect } from 'chai';
import { isLeaseStep, objectOf, type Step } from '../../streams/step.ts';

describe('the object that a step writes', () => {
  const kinds: Readonly<Record<Exclude<Step['kind'], 'inject'>, string>> = {
    'issue-ca': 'ca',
    'extend-ca-bundle': 'ca',
    'prune-ca-bundle': 'ca',
    'issue-leaf': 'secret',
    'copy-secret': 'secret',
    'update-secret-ca': 'secret',
    announce: 'announcement',
    'record-served': 'announcement',
    'record-trusted': 'announcement',
    'set-rotation-request': 'announcement',
  };
  const stepOf = (kind: Step['kind']): Step => ({ kind, target: 'a-webhook' }) as unknown as Step;

  for (const [kind, object] of Object.entries(kinds))
    it(`of ${kind} is ${object}`, () => {
      const step = stepOf(kind as Step['kind']);
      expect(objectOf(step)).to.equal(object);
      expect(isLeaseStep(step)).to.equal(object === 'announcement');
    });

  it('of inject is the target, which is not on the Lease', () => {
    expect(objectOf(stepOf('inject'))).to.equal('a-webhook');
    expect(isLeaseStep(stepOf('inject'))).to.equal(false);
  });
});
