import { expect } from 'chai';
import { type ParsedX509, parseX509 } from '../../src/certificates/parse-x509.ts';
import { der, oid } from '../support/der.ts';

const sequence = (...values: readonly Buffer[]): Buffer => der(0x30, ...values);
const integer = (...bytes: readonly number[]): Buffer => der(0x02, bytes);
const text = (tag: number, value: string): Buffer => der(tag, Buffer.from(value));
const commonName = (value: string): Buffer => sequence(der(0x31, sequence(oid('2.5.4.3'), text(0x0c, value))));

const [TRUE, FALSE] = [der(0x01, [0xff]), der(0x01, [0])];
const ECDSA = sequence(oid('1.2.840.10045.4.3.2'));
const RSA = sequence(oid('1.2.840.113549.1.1.11'), der(0x05));

interface Parts {
  /** The explicit version with its tag; nothing for version 1. */
  readonly version?: Buffer;
  readonly serial?: Buffer;
  readonly algorithm?: Buffer;
  readonly outer?: Buffer;
  readonly extensions?: readonly Buffer[];
  /** What stands between the key and the extensions. */
  readonly uniqueIds?: readonly Buffer[];
}

const VERSION_3 = der(0xa0, integer(2));
const SUBJECT = commonName('leaf');
const ISSUER = commonName('ca');

/** A certificate whose signature nobody has made, which the parser does not look at. */
const certificate = ({
  version = VERSION_3,
  serial = integer(1),
  algorithm = ECDSA,
  outer = algorithm,
  extensions = [],
  uniqueIds = [],
}: Parts = {}): Buffer => {
  const validity = sequence(text(0x17, '260101000000Z'), text(0x17, '270101000000Z'));
  const key = sequence(ECDSA, der(0x03, [0, 1]));
  const optional = extensions.length === 0 ? [] : [der(0xa3, sequence(...extensions))];
  const tbs = sequence(version, serial, algorithm, ISSUER, validity, SUBJECT, key, ...uniqueIds, ...optional);
  return sequence(tbs, outer, der(0x03, [0, 1]));
};

const extension = (id: string, value: Buffer, ...critical: readonly Buffer[]): Buffer =>
  sequence(oid(id), ...critical, der(0x04, value));

const parsed = (parts?: Parts): ParsedX509 => {
  const result = parseX509(certificate(parts));
  return result.ok ? result.certificate : expect.fail(result.error);
};
const errorOf = (bytes: Buffer): string | null => {
  const result = parseX509(bytes);
  return result.ok ? null : result.error;
};
const withExtensions = (...extensions: readonly Buffer[]): ParsedX509 => parsed({ extensions });
const errorWith = (...extensions: readonly Buffer[]): string | null => errorOf(certificate({ extensions }));

const KEY_USAGE = '2.5.29.15';
const NAMES = '2.5.29.17';
const BASIC = '2.5.29.19';
const CONSTRAINTS = '2.5.29.30';
const USAGES = '2.5.29.37';
const UNKNOWN = '1.2.3.4';
const [MAIL, DNS, DIRECTORY, URI, IP] = [0x81, 0x82, 0xa4, 0x86, 0x87];

describe('a parsed certificate', () => {
  it('restricts nothing without extensions', () => {
    expect(parsed()).to.deep.equal({
      version: 3,
      rawIssuer: ISSUER,
      rawSubject: SUBJECT,
      signatureOid: '1.2.840.10045.4.3.2',
      signatureParameters: Buffer.alloc(0),
      basicConstraints: null,
      mayNotSignCertificates: false,
      extendedKeyUsages: null,
      names: [],
      nameConstraints: null,
      unhandledCritical: [],
    });
  });

  it('has the algorithm of its signature with the parameters', () => {
    expect(parsed({ algorithm: RSA })).to.deep.include({
      signatureOid: '1.2.840.113549.1.1.11',
      signatureParameters: der(0x05),
    });
    expect(parsed({ algorithm: sequence() }).signatureOid).to.equal('');
  });

  it('is of version 1 when it says none, and has no extensions before version 3', () => {
    const extensions = [extension(UNKNOWN, der(0x05), TRUE)];
    for (const [version, number] of [
      [Buffer.alloc(0), 1],
      [der(0xa0, integer(0)), 1],
      [der(0xa0, integer(1)), 2],
    ] as const)
      expect(parsed({ version, extensions })).to.deep.include({
        version: number,
        rawSubject: SUBJECT,
        unhandledCritical: [],
      });
    expect(parsed({ extensions })).to.deep.include({ version: 3, unhandledCritical: [UNKNOWN] });
  });

  it('has its extensions behind the unique identifiers, which nobody reads', () => {
    const extensions = [extension(UNKNOWN, der(0x05), TRUE)];
    expect(parsed({ extensions, uniqueIds: [der(0x81, [0, 1]), der(0x82, [0, 2])] }).unhandledCritical).to.deep.equal([
      UNKNOWN,
    ]);
  });

  it('is refused by what is malformed about it, in the words of Go', () => {
    const good = certificate();
    const cut = (...values: readonly Buffer[]) => sequence(sequence(...values), ECDSA, der(0x03, [0, 1]));
    for (const [what, bytes, error] of [
      ['nothing', Buffer.alloc(0), 'malformed certificate'],
      ['a torn one', good.subarray(0, -1), 'malformed certificate'],
      ['a set', Buffer.concat([Buffer.from([0x31]), good.subarray(1)]), 'malformed certificate'],
      ['an empty one', sequence(), 'malformed certificate'],
      ['an inner part that is no sequence', sequence(integer(1)), 'malformed tbs certificate'],
      ['a version of two bytes', certificate({ version: der(0xa0, integer(0, 2)) }), 'malformed version'],
      ['a version without content', certificate({ version: der(0xa0, integer()) }), 'malformed version'],
      ['a version that is no number', certificate({ version: der(0xa0, der(0x04, [2])) }), 'malformed version'],
      ['an empty version', certificate({ version: der(0xa0) }), 'malformed version'],
      ['version 4', certificate({ version: der(0xa0, integer(3)) }), 'invalid version'],
      ['version 0', certificate({ version: der(0xa0, integer(0xff)) }), 'invalid version'],
      ['a serial number that is no number', certificate({ serial: der(0x04, [1]) }), 'malformed serial number'],
      ['an empty serial number', certificate({ serial: integer() }), 'malformed serial number'],
      ['an empty inner part', sequence(sequence(), ECDSA), 'malformed serial number'],
      ['no serial number', cut(VERSION_3), 'malformed serial number'],
      ['a negative serial number', certificate({ serial: integer(0x80) }), 'negative serial number'],
      ['no algorithm', cut(VERSION_3, integer(1)), 'malformed certificate'],
      ['no issuer', cut(VERSION_3, integer(1), ECDSA), 'malformed certificate'],
      ['no subject', cut(VERSION_3, integer(1), ECDSA, ISSUER, sequence()), 'malformed certificate'],
      ['two algorithms', certificate({ outer: RSA }), "inner and outer signature algorithm identifiers don't match"],
      ['no outer algorithm', sequence(sequence(VERSION_3, integer(1), ECDSA, ISSUER, sequence(), SUBJECT)), null],
      [
        'an algorithm that is no sequence',
        certificate({ algorithm: integer(1) }),
        'malformed signature algorithm identifier',
      ],
    ] as const)
      expect(errorOf(bytes), what).to.equal(
        `x509: ${error ?? "inner and outer signature algorithm identifiers don't match"}`,
      );
    expect(errorOf(certificate({ serial: integer(0) })), 'the serial number 0').to.equal(null);
  });

  it('is refused with extensions that are malformed, or one that it has twice', () => {
    const wrapped = (value: Buffer) => errorOf(certificate({ extensions: [value] }));
    expect(errorWith(extension(UNKNOWN, der(0x05)), extension(UNKNOWN, der(0x04)))).to.equal(
      'x509: certificate contains duplicate extensions',
    );
    expect(errorWith(extension(UNKNOWN, der(0x05)), extension('1.2.3.5', der(0x05)))).to.equal(null);
    for (const [what, value] of [
      ['no sequence', integer(1)],
      ['nothing', sequence()],
      ['no value', sequence(oid(UNKNOWN))],
      ['a value that is no octet string', sequence(oid(UNKNOWN), integer(1))],
      ['no identifier', sequence(integer(1), der(0x04))],
      ['the value before the flag', sequence(oid(UNKNOWN), der(0x04), TRUE)],
    ] as const)
      expect(wrapped(value), what).to.equal('x509: malformed extension');
    const flat = sequence(VERSION_3, integer(1), ECDSA, ISSUER, sequence(), SUBJECT, sequence(), der(0xa3, integer(1)));
    expect(errorOf(sequence(flat, ECDSA))).to.equal('x509: malformed extensions');
  });
});

describe('a critical extension of a certificate', () => {
  const NOTHING = sequence();

  it('is reported when Go does not handle it, and only when its flag is set', () => {
    const of = (...flag: readonly Buffer[]) => withExtensions(extension(UNKNOWN, der(0x05), ...flag)).unhandledCritical;
    expect(of(TRUE)).to.deep.equal([UNKNOWN]);
    expect(of(FALSE)).to.deep.equal([]);
    expect(of()).to.deep.equal([]);
    expect(of(integer(0xff))).to.deep.equal([]);
    const two = withExtensions(extension('1.2.3.5', der(0x05), TRUE), extension(UNKNOWN, der(0x05), TRUE));
    expect(two.unhandledCritical).to.deep.equal(['1.2.3.5', UNKNOWN]);
  });

  it('is handled as key usage, basic constraints, distribution point, policy and extended key usage', () => {
    const { unhandledCritical } = withExtensions(
      extension(KEY_USAGE, der(0x03, [0, 4]), TRUE),
      extension(BASIC, NOTHING, TRUE),
      extension('2.5.29.31', NOTHING, TRUE),
      extension('2.5.29.32', NOTHING, TRUE),
      extension(USAGES, NOTHING, TRUE),
    );
    expect(unhandledCritical).to.deep.equal([]);
  });

  it('is refused where RFC 5280 forbids it, by its name', () => {
    for (const [id, name] of [
      ['2.5.29.14', 'subject key identifier'],
      ['2.5.29.35', 'authority key identifier'],
      ['1.3.6.1.5.5.7.1.1', 'authority info access'],
    ] as const) {
      expect(errorWith(extension(id, NOTHING, TRUE)), id).to.equal(`x509: ${name} incorrectly marked critical`);
      expect(errorWith(extension(id, NOTHING)), id).to.equal(null);
    }
  });

  it('is handled as alternative names when one of them is of a kind that Go compares', () => {
    const of = (...names: readonly Buffer[]) =>
      withExtensions(extension(NAMES, sequence(...names), TRUE)).unhandledCritical;
    for (const kind of [MAIL, DNS, URI, IP]) expect(of(der(kind, [1])), String(kind)).to.deep.equal([]);
    expect(of(der(DIRECTORY, [1]), der(DNS, [1]))).to.deep.equal([]);
    expect(of(der(DIRECTORY, [1]))).to.deep.equal([NAMES]);
    expect(of()).to.deep.equal([NAMES]);
  });

  it('is handled as name constraints when all of them are of kinds that Go compares', () => {
    const tree = (kind: number) => sequence(der(kind, [1]));
    const of = (...subtrees: readonly Buffer[]) =>
      withExtensions(extension(CONSTRAINTS, sequence(...subtrees), TRUE)).unhandledCritical;
    expect(of(der(0xa0, ...[MAIL, DNS, URI, IP].map(tree)))).to.deep.equal([]);
    expect(of(der(0xa1, tree(DNS)))).to.deep.equal([]);
    expect(of(der(0xa0, tree(DNS), tree(DIRECTORY)))).to.deep.equal([CONSTRAINTS]);
    expect(of(der(0xa0, tree(DNS)), der(0xa1, tree(DIRECTORY)))).to.deep.equal([CONSTRAINTS]);
    expect(of()).to.deep.equal([]);
  });
});

describe('the names of a certificate', () => {
  it('are read with their kinds, in their order', () => {
    const names = sequence(der(DNS, Buffer.from('a.b')), der(IP, [10, 0, 0, 1]), der(DIRECTORY, [5]));
    expect(withExtensions(extension(NAMES, names)).names).to.deep.equal([
      { kind: 2, value: Buffer.from('a.b') },
      { kind: 7, value: Buffer.from([10, 0, 0, 1]) },
      { kind: 4, value: Buffer.from([5]) },
    ]);
    expect(errorWith(extension(NAMES, integer(1)))).to.equal('x509: invalid subject alternative names');
  });

  it('are permitted and excluded by constraints, of which only the base counts', () => {
    const tree = (value: string) => sequence(text(DNS, value), der(0x80, [0]));
    const constraints = sequence(der(0xa1, tree('no')), der(0xa0, tree('yes'), tree('also')));
    const named = (value: string) => ({ kind: 2, value: Buffer.from(value) });
    expect(withExtensions(extension(CONSTRAINTS, constraints)).nameConstraints).to.deep.equal({
      permitted: [named('yes'), named('also')],
      excluded: [named('no')],
    });
    expect(withExtensions(extension(CONSTRAINTS, sequence())).nameConstraints).to.deep.equal({
      permitted: [],
      excluded: [],
    });
  });

  it('are refused with constraints that are malformed', () => {
    for (const [what, value] of [
      ['no sequence', integer(1)],
      ['a torn list', sequence(der(0xa0, [0x30]))],
      ['a subtree that is no sequence', sequence(der(0xa1, integer(1)))],
    ] as const)
      expect(errorWith(extension(CONSTRAINTS, value)), what).to.equal('x509: invalid NameConstraints extension');
  });
});

describe('the uses of a certificate', () => {
  const basic = (...values: readonly Buffer[]) =>
    withExtensions(extension(BASIC, sequence(...values))).basicConstraints;

  it('include being a CA only where its basic constraints say so, with the length of the path below it', () => {
    expect(basic()).to.deep.equal({ isCa: false, maxPathLength: null });
    expect(basic(FALSE)).to.deep.equal({ isCa: false, maxPathLength: null });
    expect(basic(TRUE)).to.deep.equal({ isCa: true, maxPathLength: null });
    expect(basic(TRUE, integer(0))).to.deep.equal({ isCa: true, maxPathLength: 0 });
    expect(basic(TRUE, integer(1, 0, 0, 2))).to.deep.equal({ isCa: true, maxPathLength: 2 ** 24 + 2 });
    expect(basic(integer(3))).to.deep.equal({ isCa: false, maxPathLength: 3 });
    expect(basic(integer(1), integer(2))).to.deep.equal({ isCa: false, maxPathLength: 1 });
  });

  it('are refused with basic constraints that are malformed', () => {
    for (const [what, value] of [
      ['no sequence', integer(1)],
      ['a length that is no number', sequence(TRUE, der(0x04, [1]))],
      ['an empty length', sequence(TRUE, integer())],
      ['a length of five bytes', sequence(TRUE, integer(1, 0, 0, 0, 0))],
    ] as const)
      expect(errorWith(extension(BASIC, value)), what).to.equal('x509: invalid basic constraints');
  });

  it('include signing certificates unless a key usage is given that lacks it', () => {
    const mayNot = (...bits: readonly number[]) =>
      withExtensions(extension(KEY_USAGE, der(0x03, bits))).mayNotSignCertificates;
    expect(mayNot(2, 0x04)).to.equal(false);
    expect(mayNot(1, 0xfe)).to.equal(false);
    expect(mayNot(7, 0x80)).to.equal(true);
    expect(mayNot(7, 0, 0x80)).to.equal(true);
    expect(mayNot(7, 0x04, 0x80)).to.equal(false);
    expect(mayNot(0, 0)).to.equal(false);
    expect(mayNot(0)).to.equal(false);
    expect(errorWith(extension(KEY_USAGE, integer(4)))).to.equal('x509: invalid key usage');
    expect(errorWith(extension(KEY_USAGE, Buffer.alloc(0)))).to.equal('x509: invalid key usage');
  });

  it('are listed as the extended key usages', () => {
    const usages = sequence(oid('1.3.6.1.5.5.7.3.1'), oid('2.5.29.37.0'));
    expect(withExtensions(extension(USAGES, usages)).extendedKeyUsages).to.deep.equal([
      '1.3.6.1.5.5.7.3.1',
      '2.5.29.37.0',
    ]);
    expect(withExtensions(extension(USAGES, sequence())).extendedKeyUsages).to.deep.equal([]);
    expect(errorWith(extension(USAGES, integer(1)))).to.equal('x509: invalid extended key usages');
  });
});
