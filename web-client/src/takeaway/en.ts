import type { Grammar } from "../i18n";

/** Sentences of this folder, merged into the catalogue by i18n/en.ts. Keys start with "takeaway.". */
export const takeawayEn = {
  "takeaway.loading": "Getting your plan.",
  "takeaway.print": "Print my plan",
  "takeaway.medicare": "Show the Medicare form",
  "takeaway.medicare.back": "Show my page",
  "takeaway.nothing": "No plan was shared in this visit.",
  "takeaway.nothing.what": "Your clinic will tell you what comes next. Call them if you have questions.",
  "takeaway.away": "Your plan cannot be shown now.",
  "takeaway.away.what": "It is safe at your clinic. Try again in a minute.",
  "takeaway.again": "Try again",
  "takeaway.done": "Done",
  "takeaway.keep": "Keep this page or print it. It is for you only.",
  "takeaway.staff.saved": "The server has everything you typed.",
  "takeaway.staff.unsent": (v: { readonly count: number }, g: Grammar) => g.plural(v.count, {
    one: "1 change is only on this device.",
    other: `${g.number(v.count)} changes are only on this device.`,
  }),
  "takeaway.staff.unsent.what": "Go back in to send them. Do not sign out before.",
  "takeaway.staff.page": "What the patient takes home",
} as const;
