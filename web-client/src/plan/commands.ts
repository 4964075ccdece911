/** Decisions under way: each needs the line, is never queued, and has one answer. */
import type { Line } from "../call/connection";
import type { ClientMessage, EditId, RecordRefusal, RefusalCode } from "../wire";
import type { CommandAnswer } from "./state";

export class Commands {
  private readonly line: Line;
  private readonly open = new Map<EditId, (answer: CommandAnswer) => void>();

  constructor(line: Line) {
    this.line = line;
  }

  give(id: EditId, message: ClientMessage): Promise<CommandAnswer> {
    if (!this.line.send(message)) return Promise.resolve({ kind: "unknown" });
    return new Promise((answer) => this.open.set(id, answer));
  }

  done(id: EditId): void {
    this.open.get(id)?.({ kind: "done" });
    this.open.delete(id);
  }

  /** Whether it was a command that is refused, and not an edit. */
  refused(id: EditId, code: RecordRefusal): boolean {
    const answer = this.open.get(id);
    this.open.delete(id);
    answer?.({ kind: "refused", code });
    return answer !== undefined;
  }

  /** The message itself was refused, and names no command. Of several under way it may have been any. */
  messageRefused(code: RefusalCode): void {
    const known = code === "too_fast" || code === "busy" || code === "not_allowed" ? code : "not_open";
    this.end(this.open.size === 1 ? { kind: "refused", code: known } : { kind: "unknown" });
  }

  /** The line broke, or the record is closed. */
  lost(): void {
    this.end({ kind: "unknown" });
  }

  private end(answer: CommandAnswer): void {
    const open = [...this.open.values()];
    this.open.clear();
    for (const tell of open) tell(answer);
  }
}
