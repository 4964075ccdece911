//! Every statement about visits and seats.

crate::store::sql! {
    /// A new visit.
    ADD_VISIT = "insert into visit (id, kind, record, created_ms) values ($1, $2, $3, $4)";
    /// One visit.
    VISIT = "select id, kind, record, ended_ms from visit where id = $1";
    /// The newest visit of all that was not booked for another day.
    NEWEST_VISIT = "select id, kind, record, ended_ms from visit where id not in (select visit from booking) order by created_ms desc, id desc limit 1";
    /// It is over. The first end counts.
    END_VISIT = "update visit set ended_ms = $2 where id = $1 and ended_ms is null";
    /// A new seat.
    ADD_SEAT = "insert into seat (id, visit, person, role, admitted, wrong_dates, wrong_since_ms, wrong_today, wrong_day, created_ms) values ($1, $2, $3, $4, 0, 0, 0, 0, 0, $5)";
    /// One seat.
    SEAT = "select id, visit, person, role, admitted, revoked_ms, reads_until_ms from seat where id = $1";
    /// The seats of a visit, oldest first.
    SEATS = "select id, visit, person, role, admitted, revoked_ms, reads_until_ms from seat where visit = $1 order by created_ms, id";
    /// It was admitted: 1 while it is in.
    ADMIT = "update seat set admitted = 1 where id = $1";
    /// It waits again: 2 says that it was in once.
    PUT_OUT = "update seat set admitted = 2 where id = $1 and admitted = 1";
    /// Nobody of a visit is in any more.
    CLEAR_ADMITTED = "update seat set admitted = 2 where visit = $1 and admitted = 1";
    /// It reads the plan after its visit too, until then.
    READS = "update seat set reads_until_ms = $2 where id = $1";
    /// How it goes on by telephone, if it does.
    TELEPHONE = "select phone_since_ms, phone_by from visit where id = $1";
    /// It goes on by telephone, or does not any more.
    SET_TELEPHONE = "update visit set phone_since_ms = $2, phone_by = $3 where id = $1";
    /// Shut out.
    REVOKE_SEAT = "update seat set revoked_ms = $2 where id = $1 and revoked_ms is null";
}
