import { expect } from 'chai';
import {
  FIELD_MANAGER,
  type ManagedFields,
  managedFieldsSchema,
  otherFieldManager,
  ownsField,
} from '../../src/kube/managed-fields.ts';

const entry = (manager: string | null, time: string | null, ...fields: readonly string[]) => ({
  manager,
  time,
  fieldsV1: { 'f:webhooks': { 'k:{"name":"a"}': Object.fromEntries(fields.map((field) => [field, {}])) } },
});
const other = (...fields: NonNullable<ManagedFields>) => otherFieldManager(fields, 'us', 'f:caBundle');

describe('the other field manager', () => {
  it('is the last that wrote the field, wherever it stands', () => {
    const [early, late] = [
      entry('helm', '2026-01-01T00:00:00Z', 'f:caBundle'),
      entry('argo', '2026-01-02T00:00:00Z', 'f:caBundle'),
    ];
    expect(other(early, late)).to.equal('argo');
    expect(other(late, early)).to.equal('argo');
    expect(other({ manager: 'top', fieldsV1: { 'f:caBundle': {} } })).to.equal('top');
  });

  it('is older without a time than with one', () => {
    const [untimed, timed] = [entry('helm', null, 'f:caBundle'), entry('argo', '2026-01-01T00:00:00Z', 'f:caBundle')];
    expect(other(untimed, timed)).to.equal('argo');
    expect(other(timed, untimed)).to.equal('argo');
  });

  it('is neither ours, nor nameless, nor one of other fields', () => {
    expect(other(entry('us', '1', 'f:caBundle'))).to.equal(null);
    expect(other(entry(null, '1', 'f:caBundle'))).to.equal(null);
    expect(other(entry('helm', '1', 'f:caBundle'), entry(null, '2', 'f:caBundle'))).to.equal('helm');
    expect(other(entry('helm', '1', 'f:rules'))).to.equal(null);
    for (const fieldsV1 of [null, undefined, 'f:caBundle', 7])
      expect(other({ manager: 'helm', fieldsV1 })).to.equal(null);
    expect(otherFieldManager(null, 'us', 'f:caBundle')).to.equal(null);
    expect(otherFieldManager(undefined, 'us', 'f:caBundle')).to.equal(null);
  });
});

describe('a field manager', () => {
  it('owns a field that it is recorded as a writer of', () => {
    const fields = [entry('helm', '1', 'f:x'), entry('us', '1', 'f:caBundle')];
    expect(ownsField(fields, 'us', 'f:caBundle')).to.equal(true);
    expect(ownsField(fields, 'helm', 'f:caBundle')).to.equal(false);
    expect(ownsField(fields, 'us', 'f:x')).to.equal(false);
    expect(ownsField(null, 'us', 'f:x')).to.equal(false);
  });
});

describe('the field manager of this program', () => {
  it('is webhook-certd, as the documentation names it', () => {
    expect(FIELD_MANAGER).to.equal('webhook-certd');
  });
});

describe('managedFields', () => {
  it('are absent where they cannot be read', () => {
    for (const value of [7, 'x', {}, [7], [{ manager: 7 }]]) expect(managedFieldsSchema.parse(value)).to.equal(null);
    expect(managedFieldsSchema.parse(undefined)).to.equal(undefined);
    expect(
      managedFieldsSchema.parse([{ manager: 'a', time: null, fieldsV1: { x: {} }, operation: 'Update' }]),
    ).to.deep.equal([{ manager: 'a', time: null, fieldsV1: { x: {} } }]);
  });
});
