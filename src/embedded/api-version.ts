/** The apiVersion of a group and version: `v1` for the core group, `GROUP/VERSION` otherwise. */
export const apiVersion = (type: { readonly group: string; readonly version: string }): string =>
  type.group === '' ? type.version : `${type.group}/${type.version}`;
