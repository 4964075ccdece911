import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { hourIn, proposed, wallHour } from "./hour";

const at = { starts_ms: Date.UTC(2026, 11, 8, 15), zone: "America/New_York" };

describe("the hour of a booked visit", () => {
  it("is that of the zone in which it was agreed, in both languages", () => {
    const [then, before] = [Date.UTC(2026, 10, 30), Date.UTC(2025, 11, 30)];
    expect(hourIn(at, "en", "short", then)).toBe("Tue, Dec 8, 10:00 AM EST");
    expect(hourIn(at, "en", "short", before)).toBe("Tue, Dec 8, 2026, 10:00 AM EST");
    expect(hourIn(at, "en", "long")).toMatch(/Tuesday, December 8, 2026.*10:00 AM EST/);
    expect(hourIn(at, "es", "short", then)).toMatch(/mar.*8.*dic.*10:00/);
    expect(hourIn({ ...at, zone: "America/Denver" }, "en", "short", then)).toBe("Tue, Dec 8, 8:00 AM MST");
    for (const zone of ["Factory", "Nowhere/Atall", ""]) {
      expect(() => new Intl.DateTimeFormat("en-US", { timeZone: zone })).toThrow(RangeError);
      expect(hourIn({ ...at, zone }, "en", "plain")).toMatch(/December \d+, 2026.*\d:00 (AM|PM)/);
    }
    expect(wallHour("2026-12-01T09:30", "en")).toBe("Tue, Dec 1, 9:30 AM");
  });

  it("is said to patients in the words they take home", () => {
    const hour = (utc: number, zone = at.zone) => (["en", "es"] as const).map((language) => hourIn({ starts_ms: Date.UTC(2026, 11, 8, utc), zone }, language, "plain"));
    expect(hour(15)).toEqual(["Tuesday, December 8, 2026, 10:00 AM, Eastern time", "martes, 8 de diciembre de 2026, 10:00 de la mañana, hora del este"]);
    expect(hour(17)[1]).toMatch(/12:00 de la tarde/);
    expect(hour(25)[1]).toMatch(/martes, 8 .* 8:00 de la noche/);
    expect(hour(15, "America/Indiana/Tell_City")).toEqual(["Tuesday, December 8, 2026, 9:00 AM, Tell City time", "martes, 8 de diciembre de 2026, 9:00 de la mañana, hora de Tell City"]);
    const words = readFileSync(new URL("../../../server/clinical/src/plain/words.rs", import.meta.url), "utf8");
    const zones = [...words.matchAll(/^ {8}"([A-Z]\w+\/\w+)" => \("(.+)", "(.+)"\),$/gm)];
    expect(zones.length).toBeGreaterThan(5);
    for (const [, zone, en, es] of zones) expect([zone, ...hour(15, zone).map((said) => said.split(", ").at(-1))]).toEqual([zone, en, es]);
  });
});

describe("what a touchpoint proposes", () => {
  const today = "2026-12-01";
  it("is its due day to come, or so long from today", () => {
    for (const [said, day] of [
      [{ when: "soon", due: "2026-12-08" }, "2026-12-08"],
      [{ when: "soon", due: "2026-11-08" }, ""],
      [{ when: "in two weeks", due: "2027-01" }, "2026-12-15"],
      [{ when: "In 3 days." }, "2026-12-04"],
      [{ when: "en dos semanas" }, "2026-12-15"],
      [{ when: "en 1 mes" }, "2027-01-01"],
      [{ when: "soon", frequency: "every 4 weeks" }, "2026-12-29"],
      [{ when: "when the dose is stable" }, ""],
      [{ when: "at the gate of some weeks" }, ""],
    ] as const) expect([said, proposed(said, today).day]).toEqual([said, day]);
    expect(proposed({ when: "in a month" }, "2027-01-31").day).toBe("2027-02-28");
  });

  it("is the hour it names", () => {
    for (const [when, hour] of [["Tuesday 10 March, 10:00", "10:00"], ["at 2:30 pm", "14:30"], ["12:15 a.m.", "00:15"], ["9:05", "09:05"], ["25:00", ""], ["10 o'clock", ""]] as const) {
      expect([when, proposed({ when }, today).hour]).toEqual([when, hour]);
    }
  });
});
