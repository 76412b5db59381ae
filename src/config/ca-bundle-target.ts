import * as z from 'zod/mini';
import { dnsSubdomain, parsed, type Schema } from './types.ts';

/** Every TYPE of CA_BUNDLE_TARGETS; src/cluster/targets.ts holds what each of them is. */
const TARGET_TYPES = [
  'validatingwebhookconfiguration',
  'mutatingwebhookconfiguration',
  'customresourcedefinition',
  'apiservice',
] as const;

export type TargetType = (typeof TARGET_TYPES)[number];

/** An object whose caBundle is kept up to date. */
export interface CaBundleTarget {
  readonly type: TargetType;
  readonly name: string;
}

const objectName = dnsSubdomain();

/** `TYPE/NAME`. Only the singular of a type is accepted, so that a target has one spelling in logs, metrics and status. */
export const caBundleTarget: Schema<CaBundleTarget> = parsed(
  `TYPE/NAME, where TYPE is one of ${TARGET_TYPES.join(', ')} and NAME is the object's name`,
  (text) => {
    const [typeText = '', ...rest] = text.split('/');
    const type = TARGET_TYPES.find((each) => each === typeText.toLowerCase());
    const name = z.safeParse(objectName, rest.join('/'));
    return type !== undefined && name.success ? { type, name: name.data } : undefined;
  },
);
