/**
 * Denies objects by the rules in a file, for example a mounted ConfigMap, which can be changed while the webhook runs.
 * POLICY_FILE names it; policy.json beside this module is an example. A file that cannot be read fails the call, so that
 * the failurePolicy of the webhook decides.
 *
 *     webhook-certd try examples/handlers/policy-file.ts examples/objects/deployment.yaml
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type AdmissionHandler, allow, deny } from 'webhook-certd/handler';

interface Rule {
  /** The kind that it concerns, or all if absent. */
  readonly kind?: string;
  /** Path to a value, with `*` for each item of a list: `spec.containers.*.image`. */
  readonly path: string;
  /** The value is denied if this regular expression matches it as text. */
  readonly deny: string;
  readonly message: string;
}

const POLICY_FILE = process.env['POLICY_FILE'] ?? join(import.meta.dirname, 'policy.json');

const valuesAt = (value: unknown, [key, ...rest]: readonly string[]): readonly unknown[] => {
  if (value === undefined || value === null) return [];
  if (key === undefined) return [value];
  const inside = value as Readonly<Record<string, unknown>>;
  return (key === '*' ? Object.values(inside) : [inside[key]]).flatMap((next) => valuesAt(next, rest));
};

const byPolicy: AdmissionHandler = ({ object, kind }) => {
  // Read for each call: the kubelet replaces the file, and reading it takes microseconds.
  const rules = JSON.parse(readFileSync(POLICY_FILE, 'utf8')) as readonly Rule[];
  const broken = rules
    .filter((rule) => rule.kind === undefined || rule.kind === kind.kind)
    .filter((rule) =>
      valuesAt(object, rule.path.split('.')).some((value) => new RegExp(rule.deny).test(String(value))),
    );
  return broken.length === 0 ? allow() : deny(broken.map(({ message }) => message).join('; '), 422);
};

export default byPolicy;
