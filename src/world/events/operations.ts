/** Events of operations. */

export const operationEvents = {} as const;
