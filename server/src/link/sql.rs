//! Every statement about links and seat sessions.

crate::store::sql! {
    /// A new link.
    ADD_LINK = "insert into link (hash, seat, dek, token, created_ms) values ($1, $2, $3, $4, $5)";
    /// The seat a link leads to.
    LINK = "select seat from link where hash = $1 and revoked_ms is null";
    /// The newest link of a seat.
    LINK_OF_SEAT = "select hash, dek, token from link where seat = $1 and revoked_ms is null order by created_ms desc limit 1";
    /// Take the links of a seat back.
    REVOKE_LINKS = "update link set revoked_ms = $2 where seat = $1 and revoked_ms is null";
    /// A new session.
    ADD_SESSION = "insert into seat_session (hash, seat, dek, queue_key, created_ms) values ($1, $2, $3, $4, $5)";
    /// A session.
    SESSION = "select seat, dek, queue_key, created_ms from seat_session where hash = $1";
    /// It is over.
    DELETE_SESSION = "delete from seat_session where hash = $1";
    /// All of a seat are over.
    DELETE_SESSIONS = "delete from seat_session where seat = $1";
    /// How often the birth date was wrong.
    WRONG_DATES = "select wrong_dates, wrong_since_ms, wrong_today, wrong_day from seat where id = $1";
    /// Once more, or none any more.
    SET_WRONG_DATES = "update seat set wrong_dates = $2, wrong_since_ms = $3, wrong_today = $4, wrong_day = $5 where id = $1";
}
