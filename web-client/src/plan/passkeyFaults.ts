/** What went wrong with a passkey, in a sentence: the browser's reasons and the server's. */
import { ApiFailure } from "../api";
import type { Say } from "../i18n";
import { PasskeyFailure, type PasskeyFault } from "../webauthn";

export function faultWords(say: Say, failure: unknown, origins: readonly string[]): string {
  if (failure instanceof PasskeyFailure) return obstacleWords(say, failure.fault, origins);
  if (!(failure instanceof ApiFailure)) throw failure;
  switch (failure.code) {
    case "passkey_refused": return say("passkey.fault.refused");
    case "passkey_copied": return say("passkey.fault.copied");
    case "passkey_known": return say("passkey.fault.full");
    case "passkeys_not_here": return say("passkey.not_here.what");
    case "step_up_expired": return say("passkey.fault.late");
    default: return say("passkey.fault.away");
  }
}

export const obstacleWords = (say: Say, fault: PasskeyFault, origins: readonly string[]): string =>
  fault === "elsewhere" ? say("passkey.fault.elsewhere", { origin: origins[0] ?? "" }) : say(`passkey.fault.${fault}`);
