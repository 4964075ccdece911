import { useSay } from "../i18n";
import type { Kind } from "./devices";
import { platform, type DeviceFault } from "./faults";

/** What is wrong and what to do, for this browser and system. */
export function useFaultWords(kind: Kind, fault: DeviceFault): { readonly title: string; readonly help: string } {
  const say = useSay();
  const { system, browser } = platform(navigator.userAgent, navigator.maxTouchPoints);
  const title = say(`fault.${kind}.${fault}`);
  switch (fault) {
    case "blocked": return { title, help: say(`fault.help.blocked.${system === "ios" ? "safari" : browser}`) };
    case "blocked_system": return { title, help: say(`fault.help.system.${system}`) };
    case "none": return { title, help: say(`fault.help.none.${kind}`) };
    case "dismissed": return { title, help: say("fault.help.dismissed") };
    case "busy": return { title, help: say("fault.help.busy") };
    case "insecure": return { title, help: say("fault.help.insecure") };
    default: return fault satisfies never;
  }
}
