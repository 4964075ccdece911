/** Numbers are text, exact on both sides, and never one that could be misread ("5.0" as 50, ".5" as 5). */

export type DecimalCheck =
  | { readonly kind: "good" }
  | { readonly kind: "empty" }
  /** Misread easily: offer the other spelling, never take it silently. */
  | { readonly kind: "misread"; readonly good: string }
  | { readonly kind: "bad" }
  | { readonly kind: "zero" };

const GOOD = /^(0|[1-9][0-9]{0,8})(\.[0-9]{0,5}[1-9])?$/;
const READABLE = /^[0-9]{0,9}([.,][0-9]{0,6})?$/;

export function checkDecimal(text: string): DecimalCheck {
  if (text === "") return { kind: "empty" };
  if (text === "0") return { kind: "zero" };
  if (GOOD.test(text)) return { kind: "good" };
  if (!READABLE.test(text) || !/[0-9]/.test(text)) return { kind: "bad" };
  const [whole = "", fraction = ""] = text.split(/[.,]/);
  const digits = fraction.replace(/0+$/, "");
  const good = (whole.replace(/^0+(?=.)/, "") || "0") + (digits === "" ? "" : `.${digits}`);
  return good === "0" ? { kind: "zero" } : GOOD.test(good) ? { kind: "misread", good } : { kind: "bad" };
}

/** A FHIR `date` as exact as it is known. */
export function isPartialDate(text: string): boolean {
  const match = /^(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?$/.exec(text);
  if (match === null) return false;
  const [, year = "", month, day] = match;
  if (month === undefined) return true;
  if (Number(month) < 1 || Number(month) > 12) return false;
  return day === undefined || (Number(day) >= 1 && Number(day) <= new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate());
}
