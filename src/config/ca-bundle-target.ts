import * as z from 'zod/mini';
import { dnsSubdomain, parsed, type Schema } from './types.ts';

const TYPES = [
  'validatingwebhookconfiguration',
  'mutatingwebhookconfiguration',
  'customresourcedefinition',
  'apiservice',
] as const;

/** An object whose caBundle the leader writes. */
export interface CaBundleTarget {
  readonly type: (typeof TYPES)[number];
  readonly name: string;
}

const objectName = dnsSubdomain();

/** `TYPE/NAME`. Only the singular of a type is accepted, so that a target has one spelling in logs, metrics and status. */
export const caBundleTarget: Schema<CaBundleTarget> = parsed(
  `TYPE/NAME, where TYPE is one of ${TYPES.join(', ')} and NAME is the object's name`,
  (text) => {
    const [typeText = '', ...rest] = text.split('/');
    const type = TYPES.find((each) => each === typeText.toLowerCase());
    const name = z.safeParse(objectName, rest.join('/'));
    return type !== undefined && name.success ? { type, name: name.data } : undefined;
  },
);
