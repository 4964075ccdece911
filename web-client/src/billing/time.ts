/** Lengths and hours as they stand on a sheet. */
import type { Language } from "../i18n";
import type { Timer } from "../wire";

/** "7:59", "1:02:00". Below 0 with a minus sign. */
export function length(seconds: number): string {
  const whole = Math.abs(Math.trunc(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (part: number) => String(part).padStart(2, "0");
  return `${seconds < 0 ? "−" : ""}${h > 0 ? `${h}:${two(m)}` : m}:${two(s)}`;
}

/** The hour to the second where the practice is. */
export function hour(ms: number, zone: string, language: Language): string {
  return new Intl.DateTimeFormat(language === "es" ? "es-US" : "en-US", { timeZone: zone, hour: "numeric", minute: "2-digit", second: "2-digit" }).format(ms);
}

/** Day and hour where the practice is. */
export function moment(ms: number, zone: string, language: Language): string {
  return new Intl.DateTimeFormat(language === "es" ? "es-US" : "en-US", { timeZone: zone, dateStyle: "medium", timeStyle: "short" }).format(ms);
}

/** What the clock shows `passed` milliseconds after the server said `timer`. */
export function counted(timer: Timer, passed: number): number {
  return timer.counted_s + (timer.running ? Math.max(0, Math.floor(passed / 1000)) : 0);
}

/** NPI: the Luhn formula over the issuer's prefix 80840, which adds 24 (CMS). The server checks it again. */
export function isNpi(text: string): boolean {
  if (!/^[12]\d{9}$/.test(text)) return false;
  const sum = [...text].reverse().reduce((total, digit, place) => {
    const n = Number(digit);
    const doubled = n * 2;
    return total + (place % 2 === 0 ? n : doubled > 9 ? doubled - 9 : doubled);
  }, 24);
  return sum % 10 === 0;
}
