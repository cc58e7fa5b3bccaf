/** What several acts say alike. */
import { Type } from 'typebox';
import { PAGE_ROWS } from '../../directory/limits.ts';
import type { PreparedChange } from '../../store/contract.ts';

/** Longer is no name, address or reason. */
export const Text = Type.String({ maxLength: 1000 });

/** Takes what can hardly be meant: a network of half the world, everybody's domain. */
export const Force = Type.Optional(Type.Boolean());

export const Limit = Type.Optional(Type.Integer({ minimum: 1, maximum: PAGE_ROWS }));

/** Two changes as one. */
export function both(first: PreparedChange, second: PreparedChange): PreparedChange {
  return {
    statements: [...first.statements, ...second.statements],
    committed() {
      first.committed();
      second.committed();
    },
  };
}
