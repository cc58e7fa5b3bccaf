/** Events of dns. */

export const dnsEvents = {} as const;
