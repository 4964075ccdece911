/** What a change of the call means to somebody who cannot see it: each event once. Pure. */
import type { Say } from "../i18n";
import type { Level } from "../ui/Announcer";
import type { RosterSeat } from "../wire";
import type { MediaLink } from "./session";
import type { CallState } from "./state";

export interface Announcement {
  /** Names the event; said once a minute at most. */
  readonly id: string;
  readonly level: Level;
  readonly words: string;
}

/** Beyond this many at once people are counted, not listed. */
const LISTED = 3;

const here = (seat: RosterSeat) => seat.state === "present" || seat.state === "reconnecting";

export function announcements(before: CallState, after: CallState, say: Say): readonly Announcement[] {
  const said: Announcement[] = [];
  if (before.admission?.state === "waiting" && after.admission?.state === "admitted") {
    said.push({ id: "admitted", level: "assertive", words: say("say.admitted") });
  }
  if (after.over?.why === "removed" && before.over === null) said.push({ id: "removed", level: "assertive", words: say("say.removed") });
  if (before.telephone === null && after.telephone !== null) {
    const called = after.self?.role === "patient";
    said.push({ id: `phone-${after.telephone.since_ms}`, level: called ? "assertive" : "polite", words: say(called ? "phone.say.patient" : "phone.say.on") });
  }
  if (before.telephone !== null && after.telephone === null && after.over === null && before.self?.connection === after.self?.connection) {
    said.push({ id: `phone-off-${before.telephone.since_ms}`, level: "polite", words: say("phone.say.off") });
  }
  // A first roster is who was there already: the screen says it.
  if (before.self === null || before.admission?.state !== "admitted" || before.seats.length === 0 || after.over !== null) return said;
  const known = new Map(before.seats.map((seat) => [seat.seat, seat]));
  const others = after.seats.filter((seat) => seat.seat !== after.self?.seat);
  const joined = others.filter((seat) => {
    const was = known.get(seat.seat);
    return here(seat) && (was === undefined || !here(was));
  });
  if (joined.length > LISTED) {
    said.push({ id: `joined-${joined.map((seat) => seat.seat).join("-")}`, level: "polite", words: say("say.many_joined", { count: joined.length }) });
  } else {
    for (const seat of joined) said.push({ id: `joined-${seat.seat}-${seat.since_ms}`, level: "polite", words: say("say.joined", { name: seat.name }) });
  }
  for (const seat of others) {
    const was = known.get(seat.seat);
    if (seat.state === "waiting" && was?.state !== "waiting") {
      said.push({ id: `waits-${seat.seat}-${seat.since_ms}`, level: "polite", words: say("say.waits", { name: seat.name }) });
    }
    if (seat.presence.hand && was?.presence.hand === false) {
      said.push({ id: `hand-${seat.seat}`, level: "polite", words: say("say.hand", { name: seat.name }) });
    }
  }
  const now = new Map(after.seats.map((seat) => [seat.seat, seat]));
  for (const was of before.seats) {
    if (was.seat === after.self?.seat || !here(was)) continue;
    const seat = now.get(was.seat);
    if (seat === undefined || seat.state === "absent") said.push({ id: `left-${was.seat}-${was.since_ms}`, level: "polite", words: say("say.left", { name: was.name }) });
  }
  return said;
}

export function mediaAnnouncements(before: MediaLink, after: MediaLink, say: Say): readonly Announcement[] {
  if (before !== "reconnecting" && after === "reconnecting") return [{ id: "reconnecting", level: "assertive", words: say("say.reconnecting") }];
  if (before === "reconnecting" && after === "up") return [{ id: "back", level: "assertive", words: say("say.back") }];
  return [];
}
