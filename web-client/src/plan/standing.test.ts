import { describe, expect, it } from "vitest";
import type { PersonId, Register, RowId, SeatId, Value } from "../wire";
import { EMPTY_DOC, type DocState } from "./fold";
import { NO_RESPONSE_MS, standingOf } from "./standing";

const row = (n: number): RowId => `01958f5e-0000-7000-8000-0000000000${String(n).padStart(2, "0")}` as RowId;
const by = { kind: "seat", person: "p" as PersonId, seat: "s" as SeatId, role: "pharmacist" } as const;
const at = (value: unknown, at_ms: number): Register => ({ state: "value", value: value as Value, rev: 1, by, at_ms });

function doc(registers: Record<string, Register>): DocState {
  return { ...EMPTY_DOC, lists: new Map([["recommendations", [row(1), row(2)]]]), registers: new Map(Object.entries(registers)) };
}

describe("where a recommendation stands", () => {
  it("is its state, and unanswered after fourteen days", () => {
    const sent = doc({ [`${row(1)}/recommendations.state`]: at("sent", 1_000) });
    expect(standingOf(sent, row(1), 1_000)).toBe("sent");
    expect(standingOf(sent, row(1), 1_000 + NO_RESPONSE_MS - 1)).toBe("sent");
    expect(standingOf(sent, row(1), 1_000 + NO_RESPONSE_MS)).toBe("no_response");
    expect(standingOf(sent, row(2), 1_000 + NO_RESPONSE_MS)).toBe("draft");
    const seen = doc({ [`${row(1)}/recommendations.state`]: at("sent", 1_000), [`${row(1)}/recommendations.seen`]: at(true, 5_000) });
    expect(standingOf(seen, row(1), 6_000)).toBe("seen");
    expect(standingOf(seen, row(1), 1_000 + NO_RESPONSE_MS)).toBe("no_response");
    const decided = doc({ [`${row(1)}/recommendations.state`]: at("declined", 1_000) });
    expect(standingOf(decided, row(1), 1_000 + NO_RESPONSE_MS)).toBe("declined");
  });

  it("is replaced while another one sent in its place stands", () => {
    const other = (state: string) => doc({
      [`${row(1)}/recommendations.state`]: at("sent", 0),
      [`${row(2)}/recommendations.state`]: at(state, 0),
      [`${row(2)}/recommendations.replaces`]: at(row(1), 0),
    });
    expect(standingOf(other("sent"), row(1), 1)).toBe("replaced");
    expect(standingOf(other("draft"), row(1), 1)).toBe("sent");
    expect(standingOf(other("withdrawn"), row(1), 1)).toBe("sent");
  });
});
