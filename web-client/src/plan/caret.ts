/** Sends the own caret: the newest, when it moved, not too often. */
import type { Caret, DocKind } from "../wire";
import type { Clock } from "./clock";

/** Between two carets sent: ten a second, faster than anybody reads. */
const CARET_MS = 100;
const NOWHERE = "null";

export class CaretSender {
  private readonly clock: Clock;
  private readonly send: (kind: DocKind, caret: Caret | null) => boolean;
  /** What others know, as JSON. */
  private sent = NOWHERE;
  private next: { readonly kind: DocKind; readonly caret: Caret | null } | null = null;
  private resting = false;

  constructor(clock: Clock, send: (kind: DocKind, caret: Caret | null) => boolean) {
    this.clock = clock;
    this.send = send;
  }

  set(kind: DocKind, caret: Caret | null): void {
    this.next = { kind, caret };
    if (!this.resting) this.flush();
  }

  /** A new line: others have forgotten it. */
  forget(): void {
    this.sent = NOWHERE;
  }

  private flush(): void {
    const { next } = this;
    if (next === null) return;
    this.next = null;
    const words = JSON.stringify(next.caret);
    if (words === this.sent || !this.send(next.kind, next.caret)) return;
    this.sent = words;
    this.resting = true;
    this.clock.later(CARET_MS, () => {
      this.resting = false;
      this.flush();
    });
  }
}
