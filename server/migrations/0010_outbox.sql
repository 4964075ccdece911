-- What the server sends by itself, and where people are reached. Types as in 0001.

alter table person add column mail BYTES; -- sealed under the person's key: their mail address
alter table person add column mail_language text; -- en, es: of what is sent there

create table outbox (
    id text primary key not null, -- also of the message (RFC 5322 section 3.6.4): sent twice, it is the same message
    about text not null, -- visit:ID, plan:DOC:VERSION
    topic text not null, -- invitation, cancellation, reminder, plan
    person text not null, -- to whom; the address is read when it is sent
    role text not null,
    record text, -- whose patient may have shut them out meanwhile
    dedup_key text not null,
    dek text not null,
    payload BYTES not null, -- sealed; empty once it is settled
    created_ms bigint not null,
    not_before_ms bigint not null,
    expires_ms bigint not null, -- after it nobody needs it
    attempts bigint not null,
    lease_until_ms bigint not null,
    state text not null, -- waiting, sent, failed, withdrawn
    settled_ms bigint,
    reason text, -- why it failed, or was tried again
    code bigint -- what the mail server answered (RFC 5321 section 4.2)
);
create unique index outbox_dedup on outbox (dedup_key);
create index outbox_due on outbox (state, not_before_ms);
create index outbox_about on outbox (about, person);
create index outbox_person on outbox (person, created_ms);

-- After its visit, a seat of whom the plan was sent to reads it until then.
alter table seat add column reads_until_ms bigint;
