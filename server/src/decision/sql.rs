//! Every statement about links to a recommendation.

crate::store::sql! {
    /// A new link.
    ADD_LINK = "insert into decision_link (hash, record, recommendation, person, seat, made_by, created_ms, expires_ms) values ($1, $2, $3, $4, $5, $6, $7, $8)";
    /// Where a link leads, while it holds.
    LINK = "select record, recommendation, person, seat, made_by, expires_ms from decision_link where hash = $1 and revoked_ms is null and expires_ms > $2";
    /// Who was sent a link to a recommendation before.
    PERSON = "select person from decision_link where recommendation = $1 order by created_ms desc limit 1";
    /// Take the links to a recommendation back.
    REVOKE = "update decision_link set revoked_ms = $3 where record = $1 and recommendation = $2 and revoked_ms is null";
}
