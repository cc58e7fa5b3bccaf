/** Events of store. */

export const storeEvents = {} as const;
