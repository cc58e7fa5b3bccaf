/** Events of screen. */

export const screenEvents = {} as const;
