/** The value of a hexadecimal digit given as a character code, else -1. NaN (past the end) is -1 too. */
export function hexValue(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const letter = code | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}
