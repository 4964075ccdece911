import { useEffect, useState } from "react";
import { useSay } from "../i18n";
import { announce } from "../ui/Announcer";
import type { SeatId } from "../wire";
import { announcements, mediaAnnouncements } from "./announcements";
import { Session } from "./session";

/** The session of this page's seat, begun and ended with the screen that shows it. */
export function useSession(seat: SeatId, quiet: boolean): Session {
  const [session] = useState(() => new Session(seat, quiet));
  const say = useSay();
  useEffect(() => {
    session.start();
    return () => session.stop();
  }, [session]);
  useEffect(() => {
    let call = session.call.get();
    let link = session.media.get().link;
    const undoCall = session.call.subscribe(() => {
      const next = session.call.get();
      for (const { id, level, words } of announcements(call, next, say)) announce(level, id, words);
      call = next;
    });
    const undoMedia = session.media.subscribe(() => {
      const next = session.media.get().link;
      for (const { id, level, words } of mediaAnnouncements(link, next, say)) announce(level, id, words);
      link = next;
    });
    return () => {
      undoCall();
      undoMedia();
    };
  }, [session, say]);
  return session;
}
