/** Sentences of the page by which a prescriber answers one recommendation. */
export const decisionEn = {
  "decision.loading": "Opening the recommendation",
  "decision.gone": "This link does not work any more",
  "decision.gone.what": "It was mistyped, taken back, or is older than 14 days. Ask the pharmacist who sent it for a new one.",
  "decision.away": "The server does not answer",
  "decision.again": "Try again",
  "decision.for": (v: { readonly prescriber: string; readonly patient: string; readonly born: string }) =>
    v.born === "" ? `For ${v.prescriber}, about ${v.patient}` : `For ${v.prescriber}, about ${v.patient}, born ${v.born}`,
  "decision.stored": "This answer is stored. The pharmacist sees it.",
  "decision.unknown": "The line broke before the answer came back. Open the link again to see whether it was stored.",
  "decision.until": (v: { readonly until: string; readonly phone: string }) => `This link works until ${v.until}. Questions: ${v.phone}`,
} as const;
