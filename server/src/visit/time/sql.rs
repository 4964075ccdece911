//! Every statement about billing time.

crate::store::sql! {
    /// A call with billing time, and until when it is known to have gone on. It never goes back.
    KNOW = "insert into visit_call (call, visit, began_ms, known_ms, over) values ($1, $2, $3, $4, $5) on conflict (call) do update set known_ms = case when excluded.known_ms > visit_call.known_ms then excluded.known_ms else visit_call.known_ms end, over = case when excluded.over > visit_call.over then excluded.over else visit_call.over end";
    /// What a seat has from now on. Written again after an outcome that nobody saw, it changes nothing.
    ADD_EVENT = "insert into visit_time (call, n, seat, side, live, at_ms) values ($1, $2, $3, $4, $5, $6) on conflict (call, n) do nothing";
    /// The calls of a visit, in order.
    CALLS = "select call, known_ms, over from visit_call where visit = $1 order by began_ms, call";
    /// Until when any call of a visit is known to have gone on.
    KNOWN = "select known_ms from visit_call where visit = $1 order by known_ms desc limit 1";
    /// What happened in a call, in order.
    EVENTS = "select seat, side, live, at_ms from visit_time where call = $1 order by n";
    /// Something said to a sheet.
    SAY = "insert into sheet_entry (id, visit, person, at_ms, dek, body) values ($1, $2, $3, $4, $5, $6)";
    /// Everything said to a sheet, in order.
    SAID = "select id, person, at_ms, dek, body from sheet_entry where visit = $1 order by id";
}
