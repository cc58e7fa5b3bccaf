/** Roles of administration, from the most rights to the fewest; operations/roles.ts defines what each may do. */
export const ROLES = ['administrator', 'domain-administrator', 'operator', 'auditor'] as const;

export type Role = (typeof ROLES)[number];
