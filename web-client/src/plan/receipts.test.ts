import { expect, test } from "vitest";
import type { PersonId, Receipt } from "../wire";
import { receiptsOf } from "./receipts";

const receipt = (of: number, what: Receipt["what"], at: number): Receipt => ({ of, what, by: "p" as PersonId, at_ms: at });

test("only receipts of the version in force count, and of several answers the newest", () => {
  const agreed = receipt(2, { kind: "agreed" }, 5);
  const handed = receipt(2, { kind: "handed_on", to: "pharmacy", how: "fax" }, 4);
  const all = [
    receipt(1, { kind: "acknowledged" }, 1), receipt(1, { kind: "agreed" }, 2),
    receipt(2, { kind: "has_questions", text: "With food?" }, 3), handed, agreed,
  ];

  expect(receiptsOf(all, 2)).toEqual({ acknowledged: null, answer: agreed, handed: [handed] });
  expect(receiptsOf(all, 1).acknowledged?.at_ms).toBe(1);
  expect(receiptsOf(all, 3)).toEqual({ acknowledged: null, answer: null, handed: [] });
});
