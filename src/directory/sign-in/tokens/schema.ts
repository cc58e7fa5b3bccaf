/**
 * A change of settings for tokens in the schema: nodes that had issuers before `oauth.addressClaims` became verified
 * `email` alone keep the claims that their users sign in by, as a value that `postern check` reports.
 */
import { sql } from 'kysely';
import type { StoreMigration } from '../../../store/migration.ts';

export const tokenMigrations: readonly StoreMigration[] = [
  {
    name: '0045-address-claims',
    async up(db) {
      // Without issuers nobody signs in with a token; a value that is set stays.
      await sql`
        insert into setting (scope, owner, "key", value, changed_at, changed_by)
        select 'global', '', 'oauth.addressClaims', '["email","preferred_username","upn"]', max(changed_at), 'upgrade'
        from setting
        where "key" = 'oauth.issuers'
          and not exists (select 1 from setting where "key" = 'oauth.addressClaims')
        having count(*) > 0
      `.execute(db);
    },
  },
];
