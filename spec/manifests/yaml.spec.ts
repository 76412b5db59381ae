import { expect } from 'chai';
import fc from 'fast-check';
import { load } from 'js-yaml';
import { type Json, yamlDocument } from '../../src/manifests/yaml.ts';

const words = fc.constantFrom(
  ...[
    'yes',
    'No',
    'null',
    '~',
    '1',
    '1.5',
    '1e3',
    '0x1f',
    '0o7',
    '0b1',
    '1:30',
    '2026-12-06',
    '.inf',
    '-1',
    '+1',
    '.5',
  ],
  ...[
    'a: b',
    'a #b',
    '# a',
    '- a',
    '? a',
    'a:',
    ' a',
    'a ',
    '',
    "it's",
    '"a"',
    `'"`,
    '{{ .a }}',
    '*',
    '&a',
    '!a',
    '%a',
  ],
  ...[
    '34m',
    '128Mi',
    '87600h',
    '127.0.0.1:9000',
    'http://a:1',
    'a\nb',
    'a\n\nb\n',
    '\n',
    'a\tb',
    'a\r',
    'ä',
    '\0',
    '=',
  ],
  ...['word '.repeat(40), `${'word '.repeat(40)}word`, `${'a  b '.repeat(40)}c`, '1_000', '12e03', 'a, b', '[a]', '<<'],
);
const text = fc.oneof(words, fc.string(), fc.string({ unit: 'binary' })).filter((each) => each !== '__proto__');
const { json } = fc.letrec<{ json: Json }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4 },
    text,
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('json'), { maxLength: 4 }),
    fc.dictionary(text, tie('json'), { maxKeys: 4, noNullPrototype: true }),
  ),
}));

describe('yamlDocument', () => {
  it('writes what YAML reads as the same value, whatever it is', () => {
    fc.assert(
      fc.property(fc.dictionary(text, json, { minKeys: 1, noNullPrototype: true }), (value) => {
        expect(load(yamlDocument(value))).to.deep.equal(value);
      }),
      { numRuns: 1_000 },
    );
  });

  it('writes comments above what they belong to, and leaves out what is undefined', () => {
    const value = { kind: 'Pod', spec: { volumes: [{ name: 'a' }, { name: 'b' }], 'x/y': true, none: undefined } };
    const comments = { '/spec/volumes/1': 'the\nsecond', '/spec/x~1y': 'a slash', '/kind': 'above' };
    expect(yamlDocument(value, comments)).to.equal(
      [
        '# above',
        'kind: Pod',
        'spec:',
        '  volumes:',
        '    - name: a',
        '    # the',
        '    # second',
        '    - name: b',
        '  # a slash',
        '  x/y: true',
        '',
      ].join('\n'),
    );
  });

  it('writes short lists of words on one line, and folds long texts', () => {
    const long = Array.from({ length: 30 }, (_, at) => `word${at}`);
    const lines = yamlDocument({ verbs: ['get', 'list'], long, text: long.join(' ') }).split('\n');
    expect(lines.slice(0, 3)).to.deep.equal(['verbs: [get, list]', 'long:', '  - word0']);
    expect(lines).to.include('text: >-');
    expect(Math.max(...lines.map((line) => line.length))).to.be.at.most(101);
  });
});
