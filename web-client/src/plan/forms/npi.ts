/** A national provider identifier: ten digits with a check digit over "80840" and the nine before it (45 CFR 162.406). */
export function isNpi(text: string): boolean {
  if (!/^[0-9]{10}$/.test(text)) return false;
  // What the five digits "80840" before it add.
  let sum = 24;
  [...text].toReversed().forEach((digit, place) => {
    const value = Number(digit) * (place % 2 === 1 ? 2 : 1);
    sum += Math.floor(value / 10) + (value % 10);
  });
  return sum % 10 === 0;
}
