/**
 * How content and message row leave: with the last recipient and the last owner (owners.ts), not before the journal has them.
 */
import type { ExpressionBuilder, ExpressionWrapper, SqlBool } from 'kysely';
import type { ContentOwnerRow, QueueTables } from '../tables.ts';
import type { ByMessage, Makers } from './makers.ts';

/** No recipient waits for the content, and nobody owns it beside them. */
function isUnneeded(
  eb: ExpressionBuilder<QueueTables, 'content'>,
  message: never,
): ExpressionWrapper<QueueTables, 'content', SqlBool> {
  return eb.and([
    eb.not(eb.exists(eb.selectFrom('recipient').select('n').where('recipient.message', '=', message))),
    eb.not(eb.exists(eb.selectFrom('content_owner').select('owner').where('content_owner.message', '=', message))),
  ]);
}

export function contentsStatements({ statement, insisting }: Makers) {
  return {
    /** Of two nodes that end the last two recipients, the second waits here and sees what the first did. */
    lockMessage: statement<ByMessage>((db, p) =>
      db
        .updateTable('message')
        .set((eb) => ({ key: eb.ref('key') }))
        .where('key', '=', p('message')),
    ),
    /** The content leaves with the last recipient and the last owner: one change says that this was it. */
    deleteContentIfLast: statement<ByMessage>((db, p) =>
      db
        .deleteFrom('content')
        .where('message', '=', p('message'))
        .where((eb) => isUnneeded(eb, p('message') as never))
        .returning('blob'),
    ),
    /** The unit fails if the content is gone. */
    keepContent: insisting<ContentOwnerRow>((db, p) =>
      db
        .insertInto('content_owner')
        .columns(['message', 'owner'])
        .expression((eb) =>
          eb
            .selectFrom('content')
            .select((e) => [e.ref('message').as('message'), e.cast<string>(e.val(p('owner')), 'text').as('owner')])
            .where('message', '=', p('message')),
        ),
    ),
    releaseContent: statement<ContentOwnerRow>((db, p) =>
      db.deleteFrom('content_owner').where('message', '=', p('message')).where('owner', '=', p('owner')),
    ),
    /** Nothing needs it any more, and the journal of its node, whose mark is given, has it. */
    deleteMessageIfOver: statement<ByMessage & { mark: string }>((db, p) =>
      db
        .deleteFrom('message')
        .where('key', '=', p('message'))
        .where((eb) =>
          eb.and([
            eb.not(eb.exists(eb.selectFrom('content').select('blob').where('content.message', '=', p('message')))),
            eb.not(eb.exists(eb.selectFrom('recipient').select('n').where('recipient.message', '=', p('message')))),
            eb('key', '<=', eb.selectFrom('queue_mark').select('value').where('name', '=', p('mark'))),
          ]),
        ),
    ),
    /** An owner of the content needs the message too. */
    deleteMessage: statement<ByMessage>((db, p) =>
      db
        .deleteFrom('message')
        .where('key', '=', p('message'))
        .where((eb) =>
          eb.not(eb.exists(eb.selectFrom('content').select('blob').where('content.message', '=', p('message')))),
        ),
    ),
    content: statement<ByMessage>((db, p) => db.selectFrom('content').selectAll().where('message', '=', p('message'))),
  };
}
