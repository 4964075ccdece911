//! Every statement about what the server sends.

crate::store::sql! {
    /// A mail, unless it is there, too much waits, or too much of one patient's went to this person today.
    ENQUEUE = "insert into outbox (id, about, topic, person, role, record, dedup_key, dek, payload, created_ms, not_before_ms, expires_ms, attempts, lease_until_ms, state) select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0, 0, 'waiting' where (select count(*) from outbox where state = 'waiting') < $13 and (select count(*) from outbox where about = $2) < $14 and (select count(*) from outbox where person = $4 and record is not distinct from $6 and topic <> 'reminder' and created_ms > $15) < $16 on conflict (dedup_key) do nothing";
    /// Whether anything is due: cheaper than asking for the write lock each second.
    DUE = "select min(not_before_ms) from outbox where state = 'waiting' and not_before_ms <= $1";
    /// Takes what is due, for a while. The condition stands twice: between its two reads another worker may be first.
    LEASE = "update outbox set lease_until_ms = $1, attempts = attempts + 1 where id in (select id from outbox where state = 'waiting' and not_before_ms <= $2 and lease_until_ms <= $2 order by not_before_ms, id limit $3) and lease_until_ms <= $2 returning id, person, role, record, dek, payload, expires_ms, attempts";
    /// What a process that is gone had taken is free.
    FREE = "update outbox set lease_until_ms = 0 where state = 'waiting' and lease_until_ms > 0";
    /// It is settled: sent, failed, or withdrawn. One that was withdrawn while it was on its way was sent all the same.
    SETTLE = "update outbox set state = $2, settled_ms = $3, reason = $4, code = $5, payload = $6, lease_until_ms = 0 where id = $1 and (state = 'waiting' or $2 = 'sent')";
    /// It is tried again.
    AGAIN = "update outbox set not_before_ms = $2, reason = $3, code = $4, lease_until_ms = 0 where id = $1 and state = 'waiting'";
    /// Nobody needs any more what is about something.
    WITHDRAW = "update outbox set state = 'withdrawn', settled_ms = $2, payload = $3 where about = $1 and state = 'waiting'";
    /// The same for one person and topic.
    WITHDRAW_ONE = "update outbox set state = 'withdrawn', settled_ms = $4, payload = $5 where about = $1 and person = $2 and topic = $3 and state = 'waiting'";
    /// What became of the mails about something, oldest first; reminders are the server's own affair.
    DELIVERED = "select person, topic, state, attempts, not_before_ms, settled_ms, reason, code from outbox where about = $1 and topic <> 'reminder' and state <> 'withdrawn' order by created_ms, id";
    /// Long settled.
    PURGE = "delete from outbox where state <> 'waiting' and settled_ms < $1";
}
