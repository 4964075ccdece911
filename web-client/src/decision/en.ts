/** Sentences of the page by which a prescriber answers one recommendation. */
export const decisionEn = {
  "decision.loading": "Opening the recommendation",
  "decision.gone": "This link does not work any more",
  "decision.gone.what": "It was mistyped, taken back, or is older than 14 days. Ask the pharmacist who sent it for a new one.",
  "decision.not_yours": "This link is for somebody else",
  "decision.not_yours.what": "You are signed in here as the person who made it, or as somebody who does not answer for prescribers. Send it to the prescriber, who opens it in their own browser.",
  "decision.who": "Who answers",
  "decision.who.name": "Your name",
  "decision.who.credential": "Your credential",
  "decision.who.credential.hint": "For example: MD, NPI 1234567893",
  "decision.who.attest": (v: { readonly prescriber: string }) => `I am ${v.prescriber}, or I answer on their order. My name and credential are kept with this answer.`,
  "decision.who.needed": "Say who answers first: name, credential, and the tick.",
  "decision.away": "The server does not answer",
  "decision.again": "Try again",
  "decision.for": (v: { readonly prescriber: string; readonly patient: string; readonly born: string }) =>
    v.born === "" ? `For ${v.prescriber}, about ${v.patient}` : `For ${v.prescriber}, about ${v.patient}, born ${v.born}`,
  "decision.stored": "This answer is stored. The pharmacist sees it.",
  "decision.unknown": "The line broke before the answer came back. Open the link again to see whether it was stored.",
  "decision.until": (v: { readonly until: string; readonly phone: string }) => `This link works until ${v.until}. Questions: ${v.phone}`,
} as const;
