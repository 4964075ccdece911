import { Settings as SettingsIcon } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { useLanguage } from "../i18n";
import { SkipLink } from "../ui/landmarks";
import { CallBanners } from "./CallBanners";
import { ControlBar } from "./ControlBar";
import { PhoneCard } from "./PhoneCard";
import style from "./PatientCall.module.css";
import { SelfView } from "./SelfView";
import type { Session } from "./session";
import { Settings } from "./Settings";
import type { Self } from "./state";
import { useStore } from "./store";
import { TelephoneBeside } from "./Telephone";
import { Tile } from "./Tile";
import type { BookedFor } from "../wire";

const PatientPage = lazy(() => import("../patient/PatientPage").then((m) => ({ default: m.PatientPage })));

/** One large face, the own small picture, three buttons, and the plan below. */
export function PatientCall(props: { readonly session: Session; readonly self: Self; /** It was agreed for then, by telephone. */ readonly byPhone: BookedFor | undefined }) {
  const { session, self } = props;
  const { language, say } = useLanguage();
  const seats = useStore(session.call, (state) => state.seats);
  const { large, strip } = useStore(session.media, (state) => state.layout);
  const { record } = self.visit;
  // The one who is called looks at no face: the telephone is in their hand.
  const onPhone = useStore(session.call, (state) => state.telephone !== null || props.byPhone !== undefined) && self.role === "patient";
  const [settings, setSettings] = useState(false);
  return (
    <div className={record === null ? style["alone"] : style["shell"]}>
      <SkipLink />
      <header className="unseen"><h1>{say("start.title")}</h1></header>
      <aside aria-label={say("call.stage")} className={style["top"]}>
        <CallBanners session={session} connecting />
        {self.role !== "patient" && <TelephoneBeside session={session} />}
        {onPhone ? (
          <div className={style["phone"]}><PhoneCard session={session} booked={props.byPhone} clinic={self.visit.phone} plan={record !== null} /></div>
        ) : <div className={style["faces"]}>
          <div className={style["large"]}>
            {large === null
              ? <p className={style["nobody"]}>{say("call.alone")}</p>
              : <Tile key={large.seat.seat} session={session} face={large} large />}
          </div>
          <button type="button" className={style["settings"]} onClick={() => setSettings(true)}><SettingsIcon size={20} aria-hidden />{say("call.settings")}</button>
          <SelfView session={session} className={style["self"]} />
          {strip.length > 0 && (
            <div className={style["strip"]}>{strip.map((face) => <Tile key={face.seat.seat} session={session} face={face} />)}</div>
          )}
        </div>}
      </aside>
      {record !== null && (
        <main className={style["page"]}>
          <Suspense fallback={<p className={style["loading"]}>{say("ui.loading")}</p>}>
            <PatientPage line={session.line} record={record} role={self.role} seat={self.seat} roster={seats} language={language} />
          </Suspense>
        </main>
      )}
      <ControlBar session={session} silent={onPhone} className={style["controls"]} />
      {settings && <Settings session={session} onClose={() => setSettings(false)} />}
    </div>
  );
}
