/** Events of wire. */

export const wireEvents = {} as const;
