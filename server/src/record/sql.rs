//! SQL of documents, their logs and snapshots.

use crate::store::sql;

sql! {
    /// Takes a record's documents over: whoever owned them is fenced from here on.
    CLAIM = "update doc_head set epoch = epoch + 1, owner = $2 where record = $1";
    /// The documents of a record.
    HEADS = "select doc, kind, patient, dek, epoch, seq from doc_head where record = $1";
    /// Every record that has documents.
    RECORDS = "select distinct record from doc_head order by record";
    /// One of them.
    HEAD = "select kind, epoch, seq from doc_head where doc = $1";
    /// A new document.
    ADD_HEAD = "insert into doc_head (doc, record, kind, patient, schema_ver, dek, epoch, owner, seq, snap_seq, created_ms) values ($1, $2, $3, $4, 1, $5, 0, $6, 0, 0, $7)";
    /// The newest snapshots: the second one is for the day the first does not read.
    SNAPSHOTS = "select seq, body, hash from doc_snapshot where doc = $1 order by seq desc limit 2";
    /// Where the log ends, whatever the head says.
    LAST_CHANGE = "select cast(coalesce(max(seq), 0) as bigint) from doc_change where doc = $1";
    /// A stretch of the log.
    CHANGES_AFTER = "select seq, edit_id, at_ms, person, body, hash from doc_change where doc = $1 and seq > $2 order by seq limit 1000";
    /// A stretch of the log, backwards.
    CHANGES_BEFORE = "select seq, body from doc_change where doc = $1 and seq < $2 order by seq desc limit $3";
    /// The chain's hash at a change.
    HASH_AT = "select hash from doc_change where doc = $1 and seq = $2";
    /// What a resent edit became.
    CHANGE_OF_EDIT = "select seq, body from doc_change where doc = $1 and edit_id = $2";
    /// Yjs client ids that were given out.
    CLIENTS = "select client_id, person from doc_client where doc = $1";
    /// A snapshot. Two of the same `seq` say the same.
    ADD_SNAPSHOT = "insert into doc_snapshot (doc, seq, at_ms, body, hash) values ($1, $2, $3, $4, $5) on conflict (doc, seq) do nothing";
    /// Notes the newest snapshot; a fenced node does not.
    NOTE_SNAPSHOT = "update doc_head set snap_seq = $3 where doc = $1 and epoch = $2 and snap_seq < $3";
    /// Drops snapshots older than the two newest.
    DROP_SNAPSHOTS = "delete from doc_snapshot where doc = $1 and seq < (select min(kept.seq) from (select seq from doc_snapshot where doc = $1 order by seq desc limit 2) as kept)";
    /// A signed version.
    ADD_VERSION = "insert into doc_version (doc, version, seq, content, sha256, person, at_ms) values ($1, $2, $3, $4, $5, $6, $7)";
    /// The signed versions of a document, and with which passkey each was confirmed.
    VERSIONS = "select v.version, v.seq, v.sha256, v.person, v.at_ms, s.passkey, s.at_ms from doc_version v left join step_up s on s.doc = v.doc and s.seq = v.seq where v.doc = $1 order by v.version";
    /// One of them.
    VERSION = "select content, sha256 from doc_version where doc = $1 and version = $2";
    /// Whether the patient, or who speaks for them, was let into a visit.
    PATIENT_TOOK_PART = "select count(*) from seat where visit = $1 and role in ('patient', 'caregiver') and admitted <> 0";
    /// A copy of a row that does not read.
    QUARANTINE = "insert into doc_quarantine (id, doc, at_ms, person, why, body) values ($1, $2, $3, $4, $5, $6)";
}
