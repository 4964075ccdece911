/** Passkeys as a browser offers them (WebAuthn Level 3 §5). What is asked and whether the answer holds is the server's. */
import { fromBase64, toBase64 } from "./plan/base64";
import type { AnswerStepUp, Enrol, Enrolment, KnownPasskey, StepUpQuestion } from "./wire";

/** Why there is no passkey, or none was used. */
export type PasskeyFault =
  /** The browser has none. */
  | "none"
  /** The page stands at another address than the one they are made for. */
  | "elsewhere"
  /** The person said no, the device did not know them, or nothing happened. The browser does not tell which. */
  | "cancelled"
  /** The device has one of theirs already. */
  | "known"
  /** The device cannot check who uses it. */
  | "unverified";

export class PasskeyFailure extends Error {
  readonly fault: PasskeyFault;
  constructor(fault: PasskeyFault) {
    super(fault);
    this.fault = fault;
  }
}

/** As long as the server waits for an answer. */
const TIMEOUT_MS = 5 * 60 * 1000;

/** What stands in the way before anybody is asked. `origins` is where passkeys work. */
export function obstacle(origins: readonly string[]): PasskeyFault | null {
  if (!origins.includes(location.origin)) return "elsewhere";
  // Not in an old browser, nor in the web view of some apps.
  return typeof PublicKeyCredential === "undefined" || !("credentials" in navigator) ? "none" : null;
}

/** Makes a passkey. The device checks who uses it, and says nothing of its make. */
export async function makePasskey(asked: Enrolment): Promise<Pick<Enrol, "client_data" | "attestation" | "transports">> {
  const made = await navigator.credentials.create({
    publicKey: {
      rp: { id: asked.site, name: asked.practice },
      user: { id: fromBase64(asked.user), name: asked.name, displayName: asked.name },
      challenge: fromBase64(asked.challenge),
      pubKeyCredParams: asked.algorithms.map((alg) => ({ type: "public-key", alg })),
      excludeCredentials: asked.exclude.map(descriptor),
      authenticatorSelection: { userVerification: "required", residentKey: "preferred" },
      attestation: "none",
      timeout: TIMEOUT_MS,
    },
  }).catch(told);
  if (!(made instanceof PublicKeyCredential) || !(made.response instanceof AuthenticatorAttestationResponse)) throw new PasskeyFailure("cancelled");
  const { response } = made;
  return { client_data: bytes(response.clientDataJSON), attestation: bytes(response.attestationObject), transports: response.getTransports() };
}

/** Lets one of the person's passkeys answer. `signal` takes the question back. */
export async function askPasskey(asked: StepUpQuestion, signal: AbortSignal): Promise<AnswerStepUp> {
  const used = await navigator.credentials.get({
    signal,
    publicKey: {
      rpId: asked.site,
      challenge: fromBase64(asked.challenge),
      allowCredentials: asked.passkeys.map(descriptor),
      userVerification: "required",
      timeout: TIMEOUT_MS,
    },
  }).catch(told);
  if (!(used instanceof PublicKeyCredential) || !(used.response instanceof AuthenticatorAssertionResponse)) throw new PasskeyFailure("cancelled");
  const { response } = used;
  return {
    id: bytes(used.rawId), client_data: bytes(response.clientDataJSON), authenticator_data: bytes(response.authenticatorData),
    signature: bytes(response.signature), ...(response.userHandle === null ? {} : { user: bytes(response.userHandle) }),
  };
}

const bytes = (buffer: ArrayBuffer) => toBase64(new Uint8Array(buffer));

const TRANSPORTS: readonly AuthenticatorTransport[] = ["ble", "hybrid", "internal", "nfc", "usb"];

const descriptor = ({ id, transports }: KnownPasskey): PublicKeyCredentialDescriptor =>
  ({ type: "public-key", id: fromBase64(id), transports: TRANSPORTS.filter((way) => transports.includes(way)) });

/** What a browser means by its exception. Most of them are one, so that a page learns nothing about a device. */
function told(failure: unknown): never {
  const name = failure instanceof DOMException ? failure.name : "";
  switch (name) {
    case "InvalidStateError": throw new PasskeyFailure("known");
    case "ConstraintError": throw new PasskeyFailure("unverified");
    case "SecurityError": throw new PasskeyFailure("elsewhere");
    case "NotSupportedError": throw new PasskeyFailure("none");
    default: throw new PasskeyFailure("cancelled");
  }
}
