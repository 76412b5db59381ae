/** Field manager of every write of this program, as recorded in managedFields. */
export const FIELD_MANAGER = 'webhook-certd';
