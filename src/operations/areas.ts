/**
 * What administration is about: each operation belongs to one area, by which roles allow it. Acts also
 * wait by area: two of the same topic go one after the other, so that what one checked still holds
 * when it writes, and those of different topics do not wait for each other.
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

/** `queue-bulk`: acts on what a filter finds; those on ids need not wait for them, as rows change under leases. */
export type Topic = Area | 'queue-bulk';

/** What is removed with a domain, or must not come to a domain that goes. */
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
