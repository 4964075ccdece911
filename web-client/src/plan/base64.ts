/** Bytes on the wire: standard base64 with padding (RFC 4648 §4). */
import type { Base64 } from "../wire";

/** Bytes in one call of `fromCharCode`: engines limit the number of arguments. */
const CHUNK = 8_192;

export function toBase64(bytes: Uint8Array): Base64 {
  let text = "";
  for (let at = 0; at < bytes.length; at += CHUNK) text += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
  return btoa(text);
}

export const fromBase64 = (text: Base64): Uint8Array<ArrayBuffer> => Uint8Array.from(atob(text), (unit) => unit.charCodeAt(0));
