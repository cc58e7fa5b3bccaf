/** Events of journal. */

export const journalEvents = {} as const;
