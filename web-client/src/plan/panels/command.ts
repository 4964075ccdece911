/** Giving a command from a card: one at a time, with its answer in a sentence. */
import { useState } from "react";
import { useLanguage } from "../../i18n";
import type { Command } from "../../wire";
import { useScene } from "../context";
import type { CommandAnswer } from "../record";

/** Why a command was not done, in a sentence. */
function useWhyNot(): (answer: CommandAnswer) => string | null {
  const { say } = useLanguage();
  return (answer) => (answer.kind === "done" ? null : answer.kind === "unknown" ? say("plan.command.unknown") : say(`plan.refused.${answer.code}`));
}

/** Gives a command, and answers why it was not done. */
export function useGive(): (command: Command) => Promise<string | null> {
  const { record } = useScene();
  const whyNot = useWhyNot();
  return async (command) => whyNot(await record.command("plan", command));
}

/** What a command may answer, in a sentence beside its button. */
export function useCommand(): {
  readonly busy: boolean;
  readonly problem: string | null;
  readonly give: (command: Command) => Promise<boolean>;
  /** The same for what is not a plain command. */
  readonly answer: (ask: () => Promise<CommandAnswer>) => Promise<boolean>;
} {
  const { record } = useScene();
  const whyNot = useWhyNot();
  const [busy, setBusy] = useState(false);
  const [answered, setAnswered] = useState<CommandAnswer | null>(null);
  const problem = answered === null ? null : whyNot(answered);
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
