/** One line into a medicine and its sig. What is not understood stays words; nothing is guessed. */
import { describe, expect, it } from "vitest";
import { en } from "../i18n/en";
import { grammar, speaker } from "../i18n";
import { checkDecimal } from "./decimal";
import { expandSig, readLine, readSig, suggestions } from "./sigline";
import { USUAL } from "./sigtable";
import { composeSig } from "./words";

const say = speaker(en, grammar("en"));
const structure = (text: string) => {
  const { text: _text, ...rest } = readSig(text).sig ?? { text: "" };
  return rest;
};
const daily = { count: 1, period: 1, unit: "d" } as const;

describe("a whole line", () => {
  it("is the medicine, its strength and form, how it is taken, and what for", () => {
    expect(readLine("lisinopril 10 mg tablet, 1 tablet by mouth every morning for blood pressure")).toEqual({
      product: { name: "lisinopril", strength_form: "10 mg tablet" }, overTheCounter: false, indication: "blood pressure", left: [], respelt: [],
      sig: { text: "1 tablet by mouth every morning", dose: { value: "1", unit: "tablet" }, route: "oral", freq: daily, times: ["morning"] },
    });
  });

  it.each([
    ["metformin 500mg tab 2 tabs po bid with food", { name: "metformin", strength_form: "500 mg tablet" }, "2 tablets by mouth twice daily with food"],
    ["aspirin 81 mg daily", { name: "aspirin", strength_form: "81 mg" }, "daily"],
    ["Vitamin D", { name: "Vitamin D" }, undefined],
    ["Warfarin tablets", { name: "Warfarin tablets" }, undefined],
    ["vitamin D otc daily", { name: "vitamin D" }, "daily"],
    ["Lantus, inject 10 u subq qhs", { name: "Lantus" }, "inject 10 units under the skin daily at bedtime"],
    ["insulin glargine 100 units/mL pen 10 units under the skin daily", { name: "insulin glargine", strength_form: "100 units/mL pen" }, "10 units under the skin daily"],
    ["oxycodone-acetaminophen 5 mg/325 mg tablet, 1 tab q6h prn for pain", { name: "oxycodone-acetaminophen", strength_form: "5 mg/325 mg tablet" }, "1 tablet every 6 hours as needed for pain"],
    ["fluticasone-salmeterol 250-50 mcg inhaler, inhale 1 puff bid", { name: "fluticasone-salmeterol", strength_form: "250-50 mcg inhaler" }, "inhale 1 puff twice daily"],
    ["lisinopril 5.0 mg tablet, 1 tab daily", { name: "lisinopril", strength_form: "5 mg tablet" }, "1 tablet daily"],
    ["metoprolol succinate 25 mg extended-release tablet, 1 tablet daily", { name: "metoprolol succinate", strength_form: "25 mg extended-release tablet" }, "1 tablet daily"],
  ])("%s", (line, product, text) => {
    const read = readLine(line);
    expect([read.product, read.sig?.text]).toEqual([product, text]);
  });

  it("never has a dose that was not typed: a strength is not one", () => {
    expect(readLine("lisinopril 10 mg daily").sig).toEqual({ text: "daily", freq: daily });
  });

  it("says which numbers it wrote otherwise", () => {
    expect(readLine("warfarin 5.0 mg tablet, .5 tablet daily")).toMatchObject({ respelt: [{ typed: "5.0", written: "5" }, { typed: ".5", written: "0.5" }], sig: { dose: { value: "0.5", unit: "tablet" } } });
  });
});

describe("an instruction", () => {
  it.each([
    ["1 tab po tid", { dose: { value: "1", unit: "tablet" }, route: "oral", freq: { count: 3, period: 1, unit: "d" } }],
    ["1 tablet every 8 hours", { dose: { value: "1", unit: "tablet" }, freq: { count: 1, period: 8, unit: "h" } }],
    ["1 tablet every other day", { dose: { value: "1", unit: "tablet" }, freq: { count: 1, period: 2, unit: "d" } }],
    ["half a tablet qd", { dose: { value: "0.5", unit: "tablet" }, freq: daily }],
    ["1/2 tab daily", { dose: { value: "0.5", unit: "tablet" }, freq: daily }],
    ["1 1/2 tablets daily", { dose: { value: "1.5", unit: "tablet" }, freq: daily }],
    ["two capsules twice a day before meals", { dose: { value: "2", unit: "capsule" }, freq: { count: 2, period: 1, unit: "d", meal: "before" } }],
    ["1 tablet twice daily, in the morning and at bedtime", { dose: { value: "1", unit: "tablet" }, freq: { count: 2, period: 1, unit: "d" }, times: ["morning", "bedtime"] }],
    ["1 tablet every morning and evening", { dose: { value: "1", unit: "tablet" }, freq: { count: 2, period: 1, unit: "d" }, times: ["morning", "evening"] }],
    ["1 tablet at bedtime", { dose: { value: "1", unit: "tablet" }, times: ["bedtime"] }],
    ["1 tablet weekly", { dose: { value: "1", unit: "tablet" }, freq: { count: 1, period: 1, unit: "wk" } }],
    ["1 tablet q6h prn for pain, max 4 a day", { dose: { value: "1", unit: "tablet" }, freq: { count: 1, period: 6, unit: "h" }, prn: { reason: "pain" }, max_per_day: "4" }],
    ["1 tablet prn, no more than 3 tablets a day", { dose: { value: "1", unit: "tablet" }, prn: { reason: "" }, max_per_day: "3" }],
    ["inhale 2 puffs by mouth every 4 hours as needed", { dose: { value: "2", unit: "puff" }, route: "inhaled", freq: { count: 1, period: 4, unit: "h" }, prn: { reason: "" } }],
  ])("%s", (text, expected) => {
    expect(structure(text)).toEqual(expected);
    expect(readSig(text).left).toEqual([]);
  });

  it.each([
    ["1-2 tablets daily"], ["1 tablet every 4 to 6 hours"], ["1 tablet q4-6h"], ["1 tablet in the morning and 2 tablets in the evening"], ["1 tablet daily until gone"],
    ["1 tablet daily for 7 days"], ["1 tablet od"], ["1 drop in each eye twice daily"], ["1 tablet nightly"], ["1 tablet 3 times daily, in the morning and evening"],
    ["1 tablet daily on Mondays"], ["1 tablet with food"], ["2 tablets as needed, max 8 tablets a day"], ["1,000 mg daily"], ["0 tablets daily"], ["1 tablet (20 mg) daily"],
    ["1 tablet as needed for 3 days"], ["un comprimido cada mañana"], ["1 tablet daily then 2 tablets daily"], ["1 tablet by mouth under the tongue daily"], ["not 1 tablet daily"],
  ])("%s is kept as words, without structure", (text) => {
    expect(structure(text)).toEqual({});
    expect(readSig(text).sig?.text).not.toBe("");
    expect(readSig(text).left).not.toEqual([]);
  });

  it("understands the amount in brackets only where the strength says the same", () => {
    expect(readLine("lisinopril 10 mg tablet, 2 tablets (20 mg) daily").sig?.dose).toEqual({ value: "2", unit: "tablet" });
    expect(readLine("lisinopril 10 mg tablet, 2 tablets (10 mg) daily").sig?.dose).toBeUndefined();
  });

  it("says abbreviations in words", () => {
    expect(expandSig("1 tab PO b.i.d. PRN")).toBe("1 tablet by mouth twice daily as needed");
    expect(expandSig("QD QOD QHS TID QID q12h ac pc hs sl")).not.toMatch(/\b(?:QD|QOD|QHS|TID|QID|q12h|ac|pc|hs|sl)\b/i);
    // Words that hold the letters are left alone.
    expect(expandSig("for gastric acid, placebo, apc")).toBe("for gastric acid, placebo, apc");
  });
});

describe("suggestions", () => {
  const all = USUAL.flatMap(([, offered]) => offered);

  it.each(all)("%s is understood whole, and reads back as itself", (offered) => {
    const { sig, left } = readSig(offered);
    expect(left).toEqual([]);
    expect(sig).not.toBeNull();
    if (sig !== null) {
      const { text: _text, ...rest } = sig;
      expect(structure(composeSig(rest, say))).toEqual(rest);
    }
  });

  it("go on with what is typed, for the form that is typed", () => {
    expect(suggestions("lisinopril 10 mg tablet, 1 tab")[0]).toBe("1 tablet by mouth every morning");
    expect(suggestions("lisinopril 10 mg tablet, 1 tablet by mouth tw")).toEqual(["1 tablet by mouth twice daily", "1 tablet by mouth twice daily with food"]);
    expect(suggestions("albuterol 90 mcg inhaler,")[0]).toMatch(/puffs inhaled/);
    expect(suggestions("lis")).toEqual([]);
  });
});

it("keeps every number exact and none that misreads, over many lines", () => {
  // A small generator of its own: the same lines each time.
  let seed = 7;
  const pick = <T,>(all: readonly T[]): T => {
    seed = (seed * 48_271) % 2_147_483_647;
    return all[seed % all.length] as T;
  };
  for (let turn = 0; turn < 400; turn += 1) {
    const value = pick(["1", "2", "0.5", "1.0", ".5", "2.50", "10", "1.25", "half a"]);
    const line = `${pick(["lisinopril", "St. John's wort", "vitamin B12"])} ${pick(["10 mg tablet", "5.0mg tab", "100 units/mL", "0.05%"])}, ${value} ${pick(["tab", "tablets", "mL", "units", "puffs"])} ${pick(["po", "sl", "by mouth", ""])} ${pick(["bid", "qd", "q6h", "every other day", "weekly", "until gone", "qam"])} ${pick(["prn", "with food", "for pain", ""])}`;
    const { sig, left } = readLine(line);
    expect(sig, line).not.toBeNull();
    if (sig?.dose !== undefined) {
      expect(checkDecimal(sig.dose.value).kind, line).toBe("good");
      expect(Number(sig.dose.value), line).toBe(value === "half a" ? 0.5 : Number(value));
    }
    expect(sig?.text, line).not.toMatch(/\d\.\d*0(?!\d)|(?<!\d)\.\d|\b(?:bid|qd|q6h|po|prn|tab|qam)\b/i);
    if (left.length > 0) expect(Object.keys(sig ?? {}), line).toEqual(["text"]);
  }
});

describe("a line that would drop or invent a dose stays words", () => {
  it("joins no strength without its unit to a half", () => {
    for (const typed of ["warfarin 5 1/2 tab daily", "metoprolol 25 1/2 tab daily"]) {
      const dose = readLine(typed).sig?.dose?.value;
      expect([typed, dose]).not.toEqual([typed, "5.5"]);
      expect([typed, dose]).not.toEqual([typed, "25.5"]);
    }
    expect(readSig("1 1/2 tablets daily").sig?.dose).toEqual({ value: "1.5", unit: "tablet" });
  });

  it.each([
    "1 tablet every 6 hours for pain as needed",
    "1 tablet by mouth for diabetes twice daily",
    "1 tablet daily for cholesterol at bedtime",
    "1 tablet as needed for pain twice daily",
    "2 tablets every 6 hours as needed, max 8 a day",
  ])("%s", (typed) => {
    const { sig, indication, left } = readSig(typed);

    expect(Object.keys(sig ?? {})).toEqual(["text"]);
    expect(`${sig?.text} ${indication}`).toContain(typed.split(" ").at(-1));
    expect(left.length).toBeGreaterThan(0);
  });

  it("takes the units of an insulin as its dose", () => {
    expect(readLine("insulin glargine 10 units at bedtime")).toMatchObject({ product: { name: "insulin glargine" }, sig: { dose: { value: "10", unit: "units" }, times: ["bedtime"] } });
    expect(readLine("insulin glargine 100 units/mL, 10 units at bedtime").product?.strength_form).toBe("100 units/mL");
  });
});
