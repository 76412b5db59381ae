import type { Permission } from '../permissions.ts';

/** Replicas do without these after one warning: acknowledgements and nudges, and Events. */
export const isOptional = ({ resource }: Permission): boolean => resource === 'pods/status' || resource === 'events';
