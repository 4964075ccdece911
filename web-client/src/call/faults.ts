/** Why a camera or microphone did not open: a pure reading of what browsers say. */

export type DeviceFault =
  /** The page has no right to ask at all: not a secure address. */
  | "insecure"
  /** Switched off for this page in the browser. */
  | "blocked"
  /** The question was closed without an answer. */
  | "dismissed"
  /** The system does not let the browser. */
  | "blocked_system"
  /** Another program holds it. */
  | "busy"
  | "none";

export type PermissionAnswer = "granted" | "denied" | "prompt" | "unknown";

/** `name` and `message` of the DOMException of `getUserMedia`; `permission` asked right after it. */
export function deviceFault(name: string, message: string, permission: PermissionAnswer): DeviceFault {
  switch (name) {
    case "NotAllowedError":
    case "SecurityError":
      if (/system/i.test(message)) return "blocked_system"; // Chromium: "Permission denied by system"
      if (permission === "granted") return "blocked_system"; // the browser agreed, so somebody below it did not
      if (permission === "prompt" || /dismissed/i.test(message)) return "dismissed";
      return "blocked";
    case "NotReadableError":
    case "AbortError":
      return "busy";
    default:
      return "none"; // NotFoundError, OverconstrainedError after the retry without a device id, and what is to come
  }
}

/** Whether trying again without being asked can help, now that the browser says this. */
export function goesOnByItself(fault: DeviceFault, permission: PermissionAnswer): boolean {
  switch (fault) {
    case "blocked":
    case "dismissed":
      return permission === "granted";
    case "none":
    case "busy":
    case "blocked_system":
    case "insecure":
      return false; // a device event or a tap decides
    default:
      return fault satisfies never;
  }
}

/** Whose settings the words are about. */
export type System = "ios" | "android" | "mac" | "windows" | "other";
export type Browser = "chrome" | "firefox" | "safari" | "edge" | "other";

/** From the user agent: only words depend on it, never behaviour. */
export function platform(userAgent: string, touchPoints: number): { readonly system: System; readonly browser: Browser } {
  const system: System = /iPhone|iPad|iPod/.test(userAgent) || (/Macintosh/.test(userAgent) && touchPoints > 1) ? "ios"
    : /Android/.test(userAgent) ? "android"
    : /Macintosh/.test(userAgent) ? "mac"
    : /Windows/.test(userAgent) ? "windows"
    : "other";
  const browser: Browser = /Edg/.test(userAgent) ? "edge"
    : /Firefox|FxiOS/.test(userAgent) ? "firefox"
    : /Chrome|CriOS|Chromium/.test(userAgent) ? "chrome"
    : /Safari/.test(userAgent) ? "safari"
    : "other";
  return { system, browser };
}
