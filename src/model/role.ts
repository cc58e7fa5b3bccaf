/** Roles of administration, from the most to the least; what each may do is said in operations/roles.ts. */
export const ROLES = ['administrator', 'domain-administrator', 'operator', 'auditor'] as const;

export type Role = (typeof ROLES)[number];
