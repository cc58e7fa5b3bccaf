/**
 * The areas of administration: each operation belongs to one area, by which roles allow it. Acts also wait by area:
 * two of the same topic run one after the other, so that what one checked is still true when it writes, and those of
 * different topics do not wait for each other.
 */
export const AREAS = [
  'accounts',
  'domains',
  'servers',
  'sign-in',
  'signing',
  'queue',
  'log',
  'audit',
  'settings',
  'rules',
  'reports',
  'sources',
  'administrators',
  'operations',
  'node',
] as const;

export type Area = (typeof AREAS)[number];

/** `queue-bulk`: acts on the results of a filter; acts on ids need not wait for them, as rows change under leases. */
export type Topic = Area | 'queue-bulk';

/** The topics of everything that is removed with a domain, or must not be added to a domain that is being removed. */
export const ALL_OF_A_DOMAIN: readonly Topic[] = [
  'domains',
  'accounts',
  'sign-in',
  'signing',
  'servers',
  'settings',
  'rules',
  'sources',
  'administrators',
];
