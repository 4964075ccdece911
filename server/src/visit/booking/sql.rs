//! Every statement about booked visits.

crate::store::sql! {
    /// A new booking.
    BOOK = "insert into booking (visit, booked_in, starts_ms, minutes, zone, sequence, changed_ms, cancelled, touchpoint, format, uid) values ($1, $2, $3, $4, $5, $6, $7, 0, $8, $9, $10)";
    /// What was booked about a record, by time; what was moved stands in its new place only.
    BOOKED = "select b.visit, b.booked_in, b.starts_ms, b.minutes, b.zone, b.sequence, b.changed_ms, b.cancelled, b.touchpoint, b.format, b.uid from booking b join visit v on v.id = b.visit where v.record = $1 and b.replaced_by is null order by b.starts_ms, b.visit";
    /// For when one visit was booked, and how; not if that was cancelled.
    BOOKED_FOR = "select starts_ms, minutes, zone, format from booking where visit = $1 and cancelled = 0";
    /// It is cancelled. The first time counts.
    CANCEL = "update booking set cancelled = 1, sequence = sequence + 1, changed_ms = $2 where visit = $1 and cancelled = 0 and replaced_by is null";
    /// Another takes its place. What was cancelled meanwhile is not moved.
    REPLACE = "update booking set replaced_by = $2 where visit = $1 and cancelled = 0 and replaced_by is null";
}
