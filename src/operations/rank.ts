/**
 * Nobody gains rights by changing the credentials of somebody with more: an actor who may set passwords may do so
 * only for accounts that administer no more than the actor does. Errors: OperationalError `operation.denied`,
 * `directory.invalid`.
 */
import { anyAddress } from '../directory/addresses/names.ts';
import { addressKey } from '../model/address.ts';
import { OperationalError } from '../model/errors.ts';
import type { Area } from './areas.ts';
import { type Actor, covers, grantOf, isFullAdministrator } from './roles.ts';
import type { OperationServices } from './services.ts';

const GUARDED: readonly Area[] = ['accounts', 'sign-in'];

export async function mayChange(
  { credentials }: Pick<OperationServices, 'credentials'>,
  { name, area }: { readonly name: string; readonly area: Area },
  input: unknown,
  actor: Actor,
): Promise<void> {
  if (isFullAdministrator(actor) || !GUARDED.includes(area)) return;
  const { address } = input as { readonly address?: unknown };
  if (typeof address !== 'string') return;
  const login = addressKey(anyAddress(address));
  const above = (await credentials.listAdministrators()).find(
    (administrator) => administrator.login === login && !covers(actor, grantOf(administrator)),
  );
  if (above)
    throw new OperationalError(
      'operation.denied',
      `cannot do ${name}, as ${login} must not administer more than you do: it is ${above.role}`,
    );
}
