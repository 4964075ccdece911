/** On every field of the record: spelling, writing and translation services of browsers send what is typed away. */
export const PLAIN = {
  autoComplete: "off", autoCorrect: "off", spellCheck: false, translate: "no", writingsuggestions: "false",
} as const;
