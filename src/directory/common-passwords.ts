/**
 * The passwords that are tried first: words that head the published lists of leaked passwords.
 *
 * A word stands for itself and for what people make of it: any case, digits and marks around it,
 * letters written as digits (`P4ssw0rd!2024`), and the word said several times. Keyboard walks,
 * sequences and single characters repeated are recognised by rule. So a few hundred words cover many
 * thousands of listed passwords of ten characters and more, which is the least length allowed.
 */
const WORDS = `
password passwort passwd passw pass passphrase motdepasse contrasena contraseña senha parola heslo haslo salasana wachtwoord losenord
administrator admin root superuser sysadmin system manager supervisor operator support service guest user username login logon signin
welcome willkommen bienvenue bienvenido benvenuto letmein openup opensesame access accessgranted changeme changeit default secret secure security
test testing tester testtest temp temporary demo example sample master server network internet computer laptop desktop keyboard database oracle
qwerty qwertz azerty qwertyuiop asdfgh asdfghjkl zxcvbn zxcvbnm asdf zxcv qazwsx qazwsxedc wsxedc edcrfv qweasd qweasdzxc asdfasdf qwerqwer
abcdef abcdefg abcdefgh abcdefghij abc abcd abcde abcabc aabbcc onetwothree
iloveyou loveyou ilovehim iloveher ilovemyself iloveme iloveu lovelove loveme lover lovers love lovely forever foreverlove truelove trustno trustnoone trustme believe
dragon monkey football baseball basketball soccer hockey softball volleyball cricket tennis golf golfer rugby swimming skate skater snowboard fishing hunter hunting
shadow sunshine princess princesse superman batman spiderman ironman wolverine starwars startrek matrix pokemon pikachu naruto onepiece dragonball goku minecraft fortnite roblox nintendo playstation xbox
michael jennifer jessica ashley amanda thomas robert daniel andrew joshua matthew anthony william joseph charles richard christopher nicholas alexander alexandra elizabeth samantha stephanie nicole michelle melissa danielle rebecca victoria patricia jordan justin brandon taylor hannah heather jasmine charlie george harley maggie buster ginger pepper bailey cookie chester oliver sophie lauren andrea martin steven kevin brian jason maria anna laura sandra sabrina claudia katharina christian sebastian stefan andreas juergen wolfgang alejandro fernando francisco carlos antonio eduardo roberto ricardo giuseppe francesco giovanni alessandro valentina beatriz gabriela mohammed muhammad ahmed abdullah
mustang ferrari porsche mercedes corvette camaro chevrolet chevy yamaha suzuki kawasaki honda toyota nissan subaru volkswagen harleydavidson mercedesbenz lamborghini bugatti jaguar maserati audi bmw
arsenal chelsea liverpool manchester manunited everton barcelona realmadrid juventus ronaldo messi neymar bayern borussia schalke galatasaray fenerbahce besiktas celtic rangers tottenham newcastle
yankees redsox cowboys steelers packers broncos raiders eagles lakers celtics bulls dodgers giants patriots dolphins tigers panthers wildcats bulldogs warriors
london paris berlin hamburg munich muenchen vienna zurich madrid lisboa amsterdam brussels moscow newyork chicago boston dallas houston phoenix denver california florida texas virginia carolina georgia america england scotland ireland canada australia germany deutschland france espana italia mexico brasil brazil india pakistan nigeria indonesia philippines
summer winter spring autumn sommer january february march april june july august september october november december januar februar monday tuesday wednesday thursday friday saturday sunday holiday christmas weihnachten birthday
freedom liberty whatever nothing anything something everything nobody somebody hello helloworld hellohello hallo bonjour goodbye goodluck goodmorning please thankyou jesus jesuschrist christ jesuslovesme godisgood godbless blessed blessing heaven angel angels faith hope grace church lord allah bismillah
butterfly flower flowers rainbow unicorn dolphin tiger lion panther eagle falcon phoenix wolf wolves bear bears horse horses kitten kitty puppy hamster turtle rabbit spider scorpion cobra viper shark whale elephant penguin chicken turkey ducky
chocolate vanilla strawberry banana orange cherry lemon apple apples pineapple peaches coffee espresso cappuccino pizza burger cheese cheesecake cookies candy sugar honey sweetie sweetheart sweet babygirl babyboy baby babydoll darling honeybear hottie sexy sexylady sexything beautiful gorgeous handsome pretty cutie cutiepie
purple yellow green blue black white silver golden diamond crystal emerald sapphire platinum blackjack redhead blondie
rockstar rocknroll metallica slipknot nirvana eminem beatles blink greenday linkinpark madonna elvis guitar drummer music musical piano violin dancer dancing singer hiphop techno
killer assassin warrior soldier marine ranger hunter ninja samurai knight wizard merlin gandalf hobbit frodo voldemort harrypotter hogwarts gryffindor dumbledore legolas aragorn zelda mario luigi sonic pacman tetris
money moneymoney dollar dollars million millionaire cash business company office work worker job boss banking bitcoin crypto ethereum dogecoin
facebook google gmail yahoo hotmail outlook microsoft windows linux ubuntu debian apple iphone android samsung nokia motorola blackberry youtube twitter instagram linkedin myspace amazon netflix spotify adobe cisco router switch firewall vmware docker jenkins
fuckyou fuckme fuckoff fuckyoubitch motherfucker asshole bitch bitches bullshit shithead bastard dickhead pussy sexsex penis
blahblah blabla lalala hahaha hehehe lollol lololol yoyoyo nananana mamamama papapapa dadada bababa
mother father mommy daddy mamma mama papa brother sister family familia children daughter grandma grandpa friend friends bestfriend bestfriends girlfriend boyfriend husband
school college university student teacher student professor graduate class campus library
computer hacker hacking hacked internet online offline wireless bluetooth gateway postern mailserver postmaster webmaster hostmaster mailadmin exchange
cheerleader pumpkin muffin peanut snickers skittles twilight midnight moonlight starlight sunflower sunset sunrise lightning thunder thunderbird tornado hurricane volcano avalanche blizzard
maverick goose iceman topgun terminator predator alien aliens rambo rocky godfather scarface gladiator spartacus spartan spartans trojan trojans titanic avatar inception
number numberone champion champions winner victory victor power powerful energy fitness strong stronger legend legendary hero superhero superstar allstar
important confidential private personal corporate enterprise production staging development developer engineer finance marketing sales account accounting invoice payment
`;

const COMMON: ReadonlySet<string> = new Set(WORDS.trim().split(/\s+/));

/** How many words the list has. */
export const COMMON_WORDS = COMMON.size;

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

/** Whether a guesser would have it within the first few thousand rules and words. */
export function isCommonPassword(password: string): boolean {
  const lower = password.toLowerCase();
  if (isRepeated(lower) || isWalk(lower)) return true;
  for (const form of [lower, lower.replace(/[013457@$!]/g, (digit) => LETTERS[digit]!)]) {
    const bare = form.replace(/^[^\p{L}]+|[^\p{L}]+$/gu, '');
    if (bare !== '' && lower.length - bare.length <= DECORATION && isWordOrWords(bare)) return true;
    // `Summer2024!` undecorated first, since its digits would read as letters.
    const core = lower
      .replace(/^[^\p{L}]+|[^\p{L}]+$/gu, '')
      .replace(/[013457@$!]/g, (digit) => LETTERS[digit] ?? digit);
    if (core !== '' && lower.length - core.length <= DECORATION && isWordOrWords(core)) return true;
  }
  return false;
}

/** Digits and marks around a word that are still a habit: a date, and an exclamation mark or two. */
const DECORATION = 10;

function isWordOrWords(text: string): boolean {
  if (COMMON.has(text)) return true;
  for (let times = 2; times <= 4; times++) {
    const part = text.slice(0, text.length / times);
    if (text.length % times === 0 && COMMON.has(part) && part.repeat(times) === text) return true;
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
    // `12345678910`: the end of a walk may be a stump.
    if (length < 3) return runs > 0 && rest.length <= 2;
    rest = rest.slice(length);
  }
  return rest === '';
}
