/** Events of deliver. */

export const deliveryEvents = {} as const;
