/**
 * Variants and their splices: written with the message, gone with the last recipient that has them.
 */
import type { ExpressionBuilder, ExpressionWrapper, SqlBool } from 'kysely';
import type { StandIn } from '../../../store/statement.ts';
import type { QueueTables, SpliceRow, VariantRow } from '../tables.ts';
import type { Makers } from './makers.ts';

export type VariantKey = Pick<VariantRow, 'message' | 'v'>;

function isUnused(
  eb: ExpressionBuilder<QueueTables, 'variant' | 'splice'>,
  // biome-ignore lint/suspicious/noExplicitAny: stand-ins of two statements.
  p: StandIn<any>,
): ExpressionWrapper<QueueTables, 'variant' | 'splice', SqlBool> {
  return eb.not(
    eb.exists(
      eb
        .selectFrom('recipient')
        .select('recipient.n')
        .where('recipient.message', '=', p('message'))
        .where('recipient.variant', '=', p('v')),
    ),
  );
}

export function variantStatements({ statement }: Makers) {
  return {
    insertVariant: statement<VariantRow>((db, p) =>
      db.insertInto('variant').values({ message: p('message'), v: p('v'), edits: p('edits') }),
    ),
    insertSplice: statement<SpliceRow>((db, p) =>
      db.insertInto('splice').values({
        message: p('message'),
        v: p('v'),
        n: p('n'),
        start: p('start'),
        length: p('length'),
        body: p('body'),
        size_bytes: p('size_bytes'),
        sha256: p('sha256'),
        blob: p('blob'),
        bytes: p('bytes'),
      }),
    ),
    deleteVariantIfUnused: statement<VariantKey>((db, p) =>
      db
        .deleteFrom('variant')
        .where('message', '=', p('message'))
        .where('v', '=', p('v'))
        .where((eb) => isUnused(eb as never, p)),
    ),
    /** Returns their files. */
    deleteSplicesIfUnused: statement<VariantKey>((db, p) =>
      db
        .deleteFrom('splice')
        .where('message', '=', p('message'))
        .where('v', '=', p('v'))
        .where((eb) => isUnused(eb as never, p))
        .returning('blob'),
    ),
    /** Its edits with each splice, or with none. */
    variant: statement<VariantKey>((db, p) =>
      db
        .selectFrom('variant')
        .leftJoin('splice', (join) => join.on('splice.message', '=', p('message')).on('splice.v', '=', p('v')))
        .selectAll('splice')
        .select('variant.edits')
        .where('variant.message', '=', p('message'))
        .where('variant.v', '=', p('v'))
        .orderBy('splice.n'),
    ),
    /** Another variant of the message may have put in the same file. */
    spliceWithFile: statement<{ message: number; blob: string }>((db, p) =>
      db.selectFrom('splice').select('n').where('message', '=', p('message')).where('blob', '=', p('blob')),
    ),
  };
}
