//! Every statement about passkeys.

crate::store::sql! {
    /// A new link to set one up.
    ADD_LINK = "insert into passkey_link (hash, person, created_ms, expires_ms) values ($1, $2, $3, $4)";
    /// Whose link it is, while it holds.
    LINK = "select person, expires_ms from passkey_link where hash = $1 and used_ms is null and expires_ms > $2";
    /// Use it up.
    USE_LINK = "update passkey_link set used_ms = $2 where hash = $1 and used_ms is null and expires_ms > $2";
    /// A new passkey.
    ADD = "insert into passkey (id, person, credential, dek, uses, body, added_ms) values ($1, $2, $3, $4, 0, $5, $6)";
    /// What somebody has.
    OF_PERSON = "select id, person, credential, dek, uses, body, added_ms, used_ms, copied_ms from passkey where person = $1 order by added_ms, id";
    /// How many somebody has.
    COUNT = "select count(*) from passkey where person = $1";
    /// Whether somebody has this one, as it was when it was asked.
    HOLDS = "select count(*) from passkey where person = $1 and credential = $2 and copied_ms is null";
    /// Whether it is set up already, for whomever.
    KNOWN = "select count(*) from passkey where credential = $1";
    /// It was used: the body holds the newest counter.
    USED = "update passkey set uses = uses + 1, body = $3, used_ms = $4 where id = $1 and uses = $2 and copied_ms is null";
    /// Its counter went back.
    COPIED = "update passkey set copied_ms = $2 where id = $1 and copied_ms is null";
    /// Take it away.
    REMOVE = "delete from passkey where id = $1";
    /// Whose it is.
    OWNER = "select person from passkey where id = $1";
    /// What was kept of a signature that was confirmed.
    EVIDENCE = "select passkey, at_ms, evidence from step_up where doc = $1 and seq = $2";
    /// Keep it.
    ADD_EVIDENCE = "insert into step_up (doc, seq, passkey, at_ms, evidence) values ($1, $2, $3, $4, $5)";
}
