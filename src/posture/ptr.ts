/**
 * PTR: every address that this node sends from must have a name that resolves back to it, best its HELO name. The
 * operator of the addresses publishes it, not that of the domain.
 */
import { reverseName } from '../screen/checks/reverse-lookup/reverse.ts';
import type { Resolver } from '../world/resolver.ts';
import type { PostureContext } from './context.ts';
import { POSTURE_LIMITS } from './limits.ts';
import { addressLine } from './mx.ts';
import { type About, cannotTell, good, type PostureResult, problem, unanswered } from './types.ts';
import { zoneLine } from './zone-lines.ts';

const ASK_PROVIDER = 'Whoever provides the address publishes this record: ask them.';

const PTR = {
  missing: {
    code: 'missing',
    severity: 'critical',
    why: `Many servers refuse mail from an address without a name. ${ASK_PROVIDER}`,
  },
  notConfirmed: {
    code: 'not-confirmed',
    severity: 'critical',
    why: 'The name does not lead back to the address, so it proves nothing: many servers refuse such mail. Publish the address of the name, or have the name changed.',
  },
  otherName: {
    code: 'other-name',
    severity: 'important',
    why: `The name is not the one that this node greets with: receivers distrust the mail, and take it for that of a hijacked machine. ${ASK_PROVIDER}`,
  },
} as const;

export async function checkPtr({ resolver, node }: PostureContext): Promise<readonly PostureResult[]> {
  if (node.smartHost !== undefined)
    return [
      good({ test: 'ptr', subject: node.smartHost }, 'all mail leaves by the smart host, whose operator sees to this'),
    ];
  if (node.sending.length === 0)
    return [
      cannotTell(
        { test: 'ptr', subject: node.heloName },
        'this node knows no public address that it sends from',
        'Set smtp.publicAddresses to the addresses that other servers see.',
      ),
    ];
  return Promise.all(node.sending.map((address) => checkAddress(address, node.heloName, resolver)));
}

async function checkAddress(address: string, heloName: string, resolver: Resolver): Promise<PostureResult> {
  const about: About = { test: 'ptr', subject: address };
  const owner = reverseName(address);
  const wanted = [zoneLine(owner, 'PTR', `${heloName}.`)];
  const answer = await resolver.resolve(owner, 'PTR');
  if (answer.kind === 'unknown') return unanswered(about, owner, answer);
  if (answer.kind === 'none') return problem(about, PTR.missing, `${address} has no PTR record`, wanted);
  const names = answer.records.slice(0, POSTURE_LIMITS.ptrNames);
  const confirmed = await Promise.all(
    names.map((name) => resolver.resolve(name, address.includes(':') ? 'AAAA' : 'A')),
  );
  const seen = `${address} is called ${names.join(', ')}`;
  const fitting = names.filter((_, at) => leadsTo(confirmed[at]!, address));
  if (fitting.includes(heloName))
    return good(about, `${seen}, which leads back to it and is what this node greets with`);
  const unknown = confirmed.findIndex(({ kind }) => kind === 'unknown');
  const untold = confirmed[unknown];
  if (untold?.kind === 'unknown' && (fitting.length === 0 || names[unknown] === heloName))
    return unanswered(about, names[unknown]!, untold);
  if (fitting.length > 0) return problem(about, PTR.otherName, `${seen}; this node greets as ${heloName}`, wanted);
  return problem(about, PTR.notConfirmed, `${seen}, which does not lead back to it`, [addressLine(names[0]!, address)]);
}

function leadsTo(answer: Awaited<ReturnType<Resolver['resolve']>>, address: string): boolean {
  return answer.kind === 'found' && (answer.records as readonly string[]).includes(address);
}
