/** What to have at hand, said to whoever waits. */
import { useLanguage } from "../i18n";
import { Card } from "../ui/Card";
import style from "./Waiting.module.css";

export function Ready() {
  const { say } = useLanguage();
  return (
    <Card aria-labelledby="ready">
      <h2 id="ready">{say("wait.ready.title")}</h2>
      <ul className={style["list"]}>
        <li>{say("wait.ready.bottles")}</li>
        <li>{say("wait.ready.vitamins")}</li>
        <li>{say("wait.ready.questions")}</li>
      </ul>
    </Card>
  );
}
