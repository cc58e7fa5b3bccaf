/**
 * The passwords that are tried first: the 49,000 that head lists of leaked ones (from zxcvbn), and some words for
 * which such lists are too old or too English.
 *
 * Each stands for itself and for its usual variants: any case, digits and marks around it, letters written as digits
 * (`P4ssw0rd!2024`), and repetitions. Keyboard walks, sequences and single characters repeated are recognised by
 * rule.
 *
 * The list takes 20 MB of memory, so only the thread that hashes passwords uses it, and that thread ends when it was
 * idle for a while.
 */

const OWN_WORDS = `
passphrase superuser login signin accessgranted toor confidential corporate staging development numberone bestfriends
postern postfix sendmail smtp mailserver postmaster hostmaster mailadmin vmware ubuntu debian
gmail yahoo hotmail twitter instagram linkedin netflix spotify whatsapp telegram tiktok chatgpt bitcoin ethereum dogecoin
contraseña bienvenido bienvenue benvenuto willkommen frühling fruehling österreich zürich zuerich münchen köln koeln
doudou mudar mustermann harleydavidson mercedesbenz bmw neymar fortnite roblox inception cappuccino voldemort gryffindor dumbledore
foreverlove jesuslovesme sexything job covid abc qwer qwertz yxcvbn zxcv haha hehe lala yoyo nana mama papa dada baba
`;

let read: Promise<ReadonlySet<string>> | undefined;

async function readWords(): Promise<ReadonlySet<string>> {
  const { dictionary } = await import('@zxcvbn-ts/language-common');
  return new Set(dictionary['passwords-common']).union(new Set(OWN_WORDS.trim().split(/\s+/)));
}

const LETTERS: Readonly<Record<string, string>> = {
  '0': 'o',
  '1': 'i',
  '3': 'e',
  '4': 'a',
  '5': 's',
  '7': 't',
  '@': 'a',
  $: 's',
  '!': 'i',
};
const WALKS = [
  'qwertyuiopasdfghjklzxcvbnm',
  'qwertzuiopasdfghjklyxcvbnm',
  'azertyuiopqsdfghjklmwxcvbn',
  '1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p',
  '1q2w3e4r5t6y7u8i9o0p',
  'q1w2e3r4t5y6u7i8o9p0',
  'abcdefghijklmnopqrstuvwxyz',
  '01234567890123456789',
  'a1b2c3d4e5f6g7h8i9j0',
  '1a2b3c4d5e6f7g8h9i0j',
  '147258369',
  '789456123',
  '112233445566778899',
].flatMap((walk) => [walk, [...walk].reverse().join('')]);

/** Whether a guesser would try it within the first few thousand rules and words. */
export async function isCommonPassword(password: string): Promise<boolean> {
  const lower = password.normalize('NFC').toLowerCase();
  if (isRepeated(lower) || isWalk(lower)) return true;
  read ??= readWords();
  const words = await read.catch((error: unknown) => {
    // A list that is missing now, as during an upgrade, is looked for again.
    read = undefined;
    throw error;
  });
  return stems(lower).some((stem) => isWordOrWords(stem, words));
}

/** Digits and marks around a word that are still common: a date, and an exclamation mark or two. */
const DECORATION = 10;

const MARKS_AROUND = /^[^\p{L}\p{Nd}]+|[^\p{L}\p{Nd}]+$/gu;
const ALL_AROUND = /^\P{L}+|\P{L}+$/gu;

/** The words that it may be derived from, with their decoration less and less. */
function stems(lower: string): readonly string[] {
  const bare = [lower, lower.replace(MARKS_AROUND, ''), lower.replace(ALL_AROUND, '')];
  // `Summer2024!` undecorated first, since its digits would read as letters; `Pa$$w0rd` unchanged.
  return [...bare, ...bare.map(asLetters), asLetters(lower).replace(ALL_AROUND, '')].filter(
    (stem) => stem !== '' && lower.length - stem.length <= DECORATION,
  );
}

function asLetters(text: string): string {
  return text.replace(/[013457@$!]/g, (sign) => LETTERS[sign]!);
}

function isWordOrWords(text: string, words: ReadonlySet<string>): boolean {
  if (words.has(text)) return true;
  for (let times = 2; times <= 4; times++) {
    const part = text.slice(0, text.length / times);
    if (text.length % times === 0 && words.has(part) && part.repeat(times) === text) return true;
  }
  return false;
}

/** The same one to four characters over and over. */
function isRepeated(text: string): boolean {
  for (let period = 1; period <= 4; period++)
    if (text.length >= 2 * period && text === text.slice(0, period).repeat(text.length).slice(0, text.length))
      return true;
  return false;
}

/** Made of at most two runs over keyboard or alphabet. */
function isWalk(text: string): boolean {
  let rest = text;
  for (let runs = 0; runs < 2 && rest !== ''; runs++) {
    let length = 0;
    for (const walk of WALKS) while (length < rest.length && walk.includes(rest.slice(0, length + 1))) length++;
    // `12345678910`: the end of a walk may be incomplete.
    if (length < 3) return runs > 0 && rest.length <= 2;
    rest = rest.slice(length);
  }
  return rest === '';
}
