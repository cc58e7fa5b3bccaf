/** Events of queue. */

export const queueEvents = {} as const;
