/**
 * Characters that look like Latin letters or digits, by the letter that they resemble.
 *
 * Coverage: letters of Latin (with strokes, hooks and the phonetic extensions), Greek, Cyrillic, Armenian, Cherokee,
 * Coptic, Lisu, Hebrew and some signs, as Unicode Technical Standard 39 pairs them. Characters that compatibility
 * decomposition (NFKD) already maps to Latin are left out: accents, full-width, mathematical, circled and superscript
 * letters, ligatures. Confusions within scripts without Latin look-alikes (kana and ideographs, Arabic digits) are
 * not covered. Derived from the data of that standard, whose licence is in NOTICE.
 */
const LOOKS_LIKE: Readonly<Record<string, string>> = {
  a: 'ɑαаΑАᎪꓮ⍺',
  ae: 'æӕÆӔ',
  b: 'ƄЬᏏꞴΒВᏴꓐɓƃƂБƀҍҌѣѢᛒ',
  c: 'ᴄϲⲥсꮯϹⲤСᏟꓚ¢ȼҫҪƈ',
  d: 'ԁᏧꓒᎠꓓɗɖƌđĐƉÐð₫',
  e: '℮ꬲеҽ⋿ΕЕᎬꓰɇɆҿεєə',
  f: 'ꬵꞙքϜꓝƒƑᵮ',
  g: 'ɡᶃƍցԌᏀᏳꓖɠǥǤ',
  h: 'һհᏂΗⲎНᎻꓧɦꚕᏲⱧҢħћĦӉӇ',
  i: 'ıɪɩιіІΙꙇӏꭵᎥɨᵻͺ׀∣ƖǀⲒӀוןꓲᏞꓡłŁɭƗƚɫ⏽￨|',
  j: 'ϳјꞲͿЈᎫꓙɉɈ',
  k: 'ΚⲔКᏦꓗƙⱩҚ₭ꝀҞκк',
  m: 'ΜϺⲘМᎷꓟӍмɱ₥',
  n: 'ոռΝⲚꓠɳƞηƝᵰп',
  o: 'ᴏᴑꬽοσⲟоჿօסΟⲞОՕꓳøØɵꝋөѳꮎꮻƟꝊθϑΘΘӨѲᎾᏫ∅',
  oe: 'œŒ',
  p: 'ρϱⲣрΡⲢРᏢꓑƥᵽþ',
  q: 'ԛգզʠ',
  r: 'ꭇꭈᴦⲅгꮁƦᎡᏒꓣɽɼɍғ',
  s: 'ꜱƽѕꮪЅՏᏕᏚꓢʂƧϨ',
  ss: 'ẞß',
  t: 'ΤτⲦТтᎢꓔƭȾƮҬ₮ŧŦ',
  u: 'ꞟᴜꭎꭒʋυս∪ՍꓴᵾꮜɄᏌцμ',
  v: '∨ᴠνѵטꮩѴᏙꓦ',
  w: 'ɯᴡѡԝաꮃԜᎳᏔꓪѽ₩ω',
  x: '×хΧⲬХꓫҲχ',
  y: 'ɣᶌʏỿꭚγүყΥϒⲨУҮуᎩᎽꓬƴɏұ¥ɎҰ',
  z: 'ᴢꮓΖᏃꓜʐƶƵȥȤ',
  '3': 'ꞫȜƷꝪⳌЗзӠҘ',
};

/** By character. Also within ASCII: a digit for a letter; `l`, `1` and `I` are one. */
export const LOOK_ALIKES: ReadonlyMap<string, string> = new Map([
  ...Object.entries(LOOKS_LIKE).flatMap(([letter, others]) => [...others].map((other) => [other, letter] as const)),
  ['0', 'o'],
  ['1', 'i'],
  ['l', 'i'],
]);
