//! Every statement about booked visits.

crate::store::sql! {
    /// A new booking.
    BOOK = "insert into booking (visit, booked_in, starts_ms, minutes, zone, sequence, changed_ms, cancelled) values ($1, $2, $3, $4, $5, 0, $6, 0)";
    /// What was booked in a visit, by time.
    BOOKED = "select visit, starts_ms, minutes, zone, sequence, changed_ms, cancelled from booking where booked_in = $1 order by starts_ms, visit";
    /// It is cancelled. The first time counts.
    CANCEL = "update booking set cancelled = 1, sequence = sequence + 1, changed_ms = $2 where visit = $1 and cancelled = 0";
}
