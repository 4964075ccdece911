/** The visit of one touchpoint: booked with what the touchpoint proposes, or shown with its links. */
import { useLanguage } from "../i18n";
import type { SeatId, VisitId } from "../wire";
import type { Proposal } from "../plan/visit";
import { BookForm, Booked, WithBookings } from "./NextVisit";
import style from "./schedule.module.css";

/** `visit`: the one that is booked for it. */
export function TouchpointVisit({ seat, proposal, visit }: { readonly seat: SeatId; readonly proposal: Proposal; readonly visit: VisitId | null }) {
  const { say } = useLanguage();
  return (
    <WithBookings seat={seat}>
      {(shown, known) => {
        // What was just booked or moved counts before the plan has told.
        const made = shown.bookings.find((one) => one.visit === shown.made && one.touchpoint === proposal.row);
        const booking = made ?? shown.bookings.find((one) => one.visit === visit);
        return (
          <section className={style["part"]} aria-label={say("schedule.title")}>
            {booking === undefined || booking.cancelled || (booking.here && proposal.missed)
              ? <BookForm seat={seat} bookings={shown} known={known} proposal={proposal} />
              : <Booked key={booking.visit} seat={seat} booking={booking} known={known} seen={proposal.seen} />}
            {booking?.cancelled === true && <Booked key={booking.visit} seat={seat} booking={booking} known={known} />}
          </section>
        );
      }}
    </WithBookings>
  );
}
