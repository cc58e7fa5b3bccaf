/** Events of receive. */

export const receiveEvents = {} as const;
