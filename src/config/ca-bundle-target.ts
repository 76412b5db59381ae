import * as z from 'zod/mini';
import { dnsSubdomain, parsed, type Schema } from './types.ts';

const types = [
  'validatingwebhookconfiguration',
  'mutatingwebhookconfiguration',
  'customresourcedefinition',
  'apiservice',
] as const;

/** An object whose caBundle is kept true. */
export interface CaBundleTarget {
  readonly type: (typeof types)[number];
  readonly name: string;
}

const objectName = dnsSubdomain();

/** `TYPE/NAME`. Only the singular is taken, so that one target has one spelling in logs, metrics and status. */
export const caBundleTarget: Schema<CaBundleTarget> = parsed(
  `TYPE/NAME, where TYPE is one of ${types.join(', ')} and NAME is the object's name`,
  (text) => {
    const [typeText = '', ...rest] = text.split('/');
    const type = types.find((each) => each === typeText.toLowerCase());
    const name = z.safeParse(objectName, rest.join('/'));
    return type !== undefined && name.success ? { type, name: name.data } : undefined;
  },
);
