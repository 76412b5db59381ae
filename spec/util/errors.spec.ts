import { expect } from 'chai';
import { errnoOf, errorText, messageOf, stackOf } from '../../src/util/errors.ts';
import { Problem } from '../../streams/problem.ts';

const caused = (message: string, cause: unknown): Error => new Error(message, { cause });

describe('the text of an error', () => {
  it('is its message with those of its causes', () => {
    expect(errorText(new Error('fetch failed'))).to.equal('fetch failed');
    expect(errorText(caused('fetch failed', caused('no route', new Error('reset'))))).to.equal(
      'fetch failed: no route: reset',
    );
    expect(errorText(caused('fetch failed', 'a text'))).to.equal('fetch failed');
  });

  it('has the messages of each error that is part of it, and its name when there are none', () => {
    const both = [new Error('IPv4 refused'), new Error('IPv6 refused'), 'no error'];
    expect(errorText(new AggregateError(both))).to.equal('IPv4 refused; IPv6 refused');
    expect(errorText(new AggregateError(both, 'cannot connect'))).to.equal(
      'cannot connect: IPv4 refused; IPv6 refused',
    );
    expect(errorText(new AggregateError([]))).to.equal('AggregateError');
    expect(errorText(new TypeError(''))).to.equal('TypeError');
  });

  it('ends after five causes, so that one that causes itself has a text', () => {
    const chain = ['6', '5', '4', '3', '2', '1'].reduce((cause, text) => caused(text, cause), new Error('7'));
    expect(errorText(chain)).to.equal('1: 2: 3: 4: 5: 6');
    const itself = new Error('again');
    itself.cause = itself;
    expect(errorText(itself)).to.equal(Array(6).fill('again').join(': '));
  });
});

describe('a thrown value', () => {
  it('has the code of a failed system call, or an unknown one', () => {
    expect(errnoOf(Object.assign(new Error('gone'), { code: 'ENOENT' }))).to.equal('ENOENT');
    for (const error of [
      new Error('x'),
      Object.assign(new Error('x'), { code: 2 }),
      { code: 'ENOENT' },
      null,
      'ENOENT',
    ])
      expect(errnoOf(error)).to.equal('unknown');
  });

  it('has a message, also when it is no error', () => {
    expect([new Error('why'), 'why', undefined].map(messageOf)).to.deep.equal(['why', 'why', 'undefined']);
  });

  it('has a stack where it is a bug, not a problem outside of this program', () => {
    const bug = new TypeError('x is undefined');
    expect(stackOf(bug)).to.equal(bug.stack).and.to.be.a('string');
    for (const error of [new Problem('no connection'), 'a text', null]) expect(stackOf(error)).to.equal(undefined);
  });
});
