import type { AdmissionResponse, Remarks } from './admission-types.ts';

/** Admits the object as it is, with warnings and audit annotations if there are any. */
export const allow = (remarks: Remarks = {}): AdmissionResponse => ({ allowed: true, ...remarks });
