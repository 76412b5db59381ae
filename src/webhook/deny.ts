import type { AdmissionResponse, Remarks } from './admission-types.ts';

/** Refuses, and says why to the person who asked. `code` is the HTTP status they get, 400 to 599. */
export const deny = (message: string, code = 403, remarks: Remarks = {}): AdmissionResponse => ({
  allowed: false,
  status: { message, code },
  ...remarks,
});
