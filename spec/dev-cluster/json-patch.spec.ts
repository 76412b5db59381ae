import { expect } from 'chai';
import { ApiFailure } from '../../src/dev-cluster/failures.ts';
import { jsonPatch } from '../../src/dev-cluster/json-patch.ts';
import type { Json } from '../../src/dev-cluster/kube-object.ts';

const failing = (patch: Json, target: Json = { list: ['a', 'b'], map: { key: 1 } }) => {
  try {
    jsonPatch(target, patch);
  } catch (error) {
    return error instanceof ApiFailure ? error.status.code : error;
  }
  return 'applied';
};

describe('embedded/json-patch', () => {
  const target = { list: ['a', 'b'], map: { key: 1 } };

  for (const [law, operation, outcome] of [
    ['inserts into a list', { op: 'add', path: '/list/1', value: 'x' }, { list: ['a', 'x', 'b'], map: { key: 1 } }],
    ['appends with a dash', { op: 'add', path: '/list/-', value: 'x' }, { list: ['a', 'b', 'x'], map: { key: 1 } }],
    ['replaces in a list', { op: 'replace', path: '/list/0', value: 'x' }, { list: ['x', 'b'], map: { key: 1 } }],
    ['removes from a list', { op: 'remove', path: '/list/0' }, { list: ['b'], map: { key: 1 } }],
    [
      'reads escaped keys',
      { op: 'add', path: '/map/a~1b~0c', value: 2 },
      { list: ['a', 'b'], map: { key: 1, 'a/b~c': 2 } },
    ],
    ['moves', { op: 'move', from: '/map/key', path: '/list/0' }, { list: [1, 'a', 'b'], map: {} }],
    [
      'copies',
      { op: 'copy', from: '/list', path: '/map/list' },
      { list: ['a', 'b'], map: { key: 1, list: ['a', 'b'] } },
    ],
    ['tests whole values', { op: 'test', path: '/list', value: ['a', 'b'] }, target],
    ['takes an absent value for null in a test', { op: 'test', path: '/map/none', value: null }, target],
  ] as const) {
    it(law, () => {
      expect(jsonPatch(target, [operation])).to.deep.equal(outcome);
      expect(target).to.deep.equal({ list: ['a', 'b'], map: { key: 1 } });
    });
  }

  it('refuses what does not apply', () => {
    expect(failing([{ op: 'replace', path: '/map/none', value: 1 }])).to.equal(422);
    expect(failing([{ op: 'remove', path: '/list/7' }])).to.equal(422);
    expect(failing([{ op: 'add', path: '/list/7', value: 1 }])).to.equal(422);
    expect(failing([{ op: 'add', path: '/none/key', value: 1 }])).to.equal(422);
    expect(failing([{ op: 'test', path: '/map/key', value: '1' }])).to.equal(422);
    expect(failing([{ op: 'remove', path: '' }])).to.equal(422);
    for (const from of ['/map/none', '/none/key', ''])
      expect(failing([{ op: 'move', from, path: '/map/key' }]), from).to.equal(422);
  });

  it('refuses what is no patch', () => {
    expect(failing({ op: 'add' })).to.equal(400);
    expect(failing([{ path: '/a' }])).to.equal(400);
  });
});
