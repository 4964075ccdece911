//! Every statement about agreements.

crate::store::sql! {
    /// A new agreement.
    ADD = "insert into cdtm_agreement (id, patient, physician, pharmacist, created_ms) values ($1, $2, $3, $4, $5)";
    /// Whom the newest draft names.
    MEANT_FOR = "update cdtm_agreement set pharmacist = $3 where id = $1 and patient = $2";
    /// Something written in it. The place is taken once.
    WRITE = "insert into cdtm_entry (agreement, n, id, at_ms, dek, body) values ($1, $2, $3, $4, $5, $6)";
    /// The agreements of a patient, oldest first.
    OF_PATIENT = "select id, patient from cdtm_agreement where patient = $1 order by created_ms, id";
    /// The agreements of one who signs.
    OF_PARTY = "select id, patient from cdtm_agreement where physician = $1 or pharmacist = $1 order by created_ms, id";
    /// Every agreement.
    EVERY = "select id, patient from cdtm_agreement order by created_ms, id";
    /// What was written in one, in order.
    ENTRIES = "select n, id, dek, body from cdtm_entry where agreement = $1 order by n";
}
