/** Asks the server how a field came to say what it says. One question at a time: a person reads one answer. */
import type { Line } from "../call/connection";
import type { Address, Change, DocId, PersonName } from "../wire";
import { keyOf } from "./fold";

export interface HistoryPage {
  /** The newest first. */
  readonly changes: readonly Change[];
  readonly people: readonly PersonName[];
  /** From where to ask on; `null` at the beginning. */
  readonly next: number | null;
}

export type HistoryAnswer =
  | { readonly kind: "page"; readonly page: HistoryPage }
  | { readonly kind: "refused"; readonly why: "not_allowed" | "busy" }
  /** No line, or it broke before the answer. */
  | { readonly kind: "unknown" };

interface Question {
  readonly doc: DocId;
  readonly key: string;
  readonly answer: (answer: HistoryAnswer) => void;
}

export class Histories {
  private readonly line: Line;
  private open: Question | null = null;
  private readonly stop: readonly (() => void)[];

  constructor(line: Line) {
    this.line = line;
    this.stop = [
      line.onMessage((message) => {
        const { open } = this;
        if (open === null) return;
        if (message.type === "record.history" && message.doc === open.doc && keyOf(message.at) === open.key) {
          this.end({ kind: "page", page: { changes: message.changes, people: message.people, next: message.next ?? null } });
        } else if (message.type === "refused" && message.of === "record.history") {
          this.end({ kind: "refused", why: message.code === "not_allowed" ? "not_allowed" : "busy" });
        }
      }),
      line.onState((state) => {
        if (state !== "open") this.end({ kind: "unknown" });
      }),
    ];
  }

  /** `before`: the `next` of the page before. A question still open is left without an answer. */
  ask(doc: DocId, at: Address, before: number | null): Promise<HistoryAnswer> {
    this.end({ kind: "unknown" });
    if (!this.line.send({ type: "record.history", doc, at, ...(before === null ? {} : { before }) })) return Promise.resolve({ kind: "unknown" });
    return new Promise((answer) => {
      this.open = { doc, key: keyOf(at), answer };
    });
  }

  close(): void {
    this.end({ kind: "unknown" });
    for (const step of this.stop) step();
  }

  private end(answer: HistoryAnswer): void {
    this.open?.answer(answer);
    this.open = null;
  }
}
