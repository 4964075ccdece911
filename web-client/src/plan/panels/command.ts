/** Giving a command from a card: one at a time, with its answer in a sentence. */
import { useState } from "react";
import { useLanguage } from "../../i18n";
import type { Command } from "../../wire";
import { useScene } from "../context";
import type { CommandAnswer } from "../record";

/** What a command may answer, in a sentence beside its button. */
export function useCommand(): {
  readonly busy: boolean;
  readonly problem: string | null;
  readonly give: (command: Command) => Promise<boolean>;
  /** The same for what is not a plain command. */
  readonly answer: (ask: () => Promise<CommandAnswer>) => Promise<boolean>;
} {
  const { record } = useScene();
  const { say } = useLanguage();
  const [busy, setBusy] = useState(false);
  const [answered, setAnswered] = useState<CommandAnswer | null>(null);
  const problem = answered === null || answered.kind === "done" ? null
    : answered.kind === "unknown" ? say("plan.command.unknown") : say(`plan.refused.${answered.code}`);
  const answer = async (ask: () => Promise<CommandAnswer>): Promise<boolean> => {
    setBusy(true);
    setAnswered(null);
    const got = await ask();
    setAnswered(got);
    setBusy(false);
    return got.kind === "done";
  };
  return { busy, problem, answer, give: (command) => answer(() => record.command("plan", command)) };
}
