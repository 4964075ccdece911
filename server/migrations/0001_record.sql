-- Types: text, BYTES (replaced for each engine), bigint, smallint only. Times are milliseconds UTC and end in _ms.
-- "sealed" in a comment: the value is encrypted under a data key (vault.rs).

create table patient (
    id text primary key not null,
    dek text not null,
    chart BYTES not null, -- sealed: name, birth date
    created_ms bigint not null
);

create table person (
    id text primary key not null,
    patient text, -- set when the person is the patient, or speaks for one: then their key seals the name
    role text not null,
    dek text not null,
    name BYTES not null, -- sealed
    created_ms bigint not null
);
create index person_patient on person (patient);

create table record (
    id text primary key not null,
    patient text not null,
    created_ms bigint not null
);
create index record_patient on record (patient);

create table dek (
    id text primary key not null,
    patient text, -- null: the organisation's
    kek text not null,
    wrapped BYTES, -- null once destroyed
    created_ms bigint not null,
    shredded_ms bigint
);
create index dek_patient on dek (patient);

create table doc_head (
    doc text primary key not null,
    record text not null,
    kind text not null,
    patient text,
    schema_ver smallint not null,
    dek text not null,
    epoch bigint not null,
    owner text not null,
    seq bigint not null,
    snap_seq bigint not null,
    sealed smallint not null,
    sealed_hash BYTES,
    created_ms bigint not null
);
create index doc_head_record on doc_head (record);
create index doc_head_owner on doc_head (owner);

create table doc_change (
    doc text not null,
    seq bigint not null,
    edit_id text not null,
    kind smallint not null, -- 1 edit, 2 text, 3 command
    at_ms bigint not null,
    typed_ms bigint,
    person text not null, -- empty: an import
    seat text not null,
    role text not null,
    call text,
    call_ms bigint,
    epoch bigint not null,
    body BYTES not null, -- sealed
    hash BYTES not null,
    primary key (doc, seq)
);
create unique index doc_change_edit on doc_change (doc, edit_id);
create index doc_change_call on doc_change (call, call_ms);

create table doc_snapshot (
    doc text not null,
    seq bigint not null,
    at_ms bigint not null,
    body BYTES not null, -- sealed
    hash BYTES not null,
    primary key (doc, seq)
);

create table doc_client (
    doc text not null,
    client_id bigint not null,
    person text not null,
    at_ms bigint not null,
    primary key (doc, client_id)
);

create table doc_quarantine (
    id text primary key not null,
    doc text not null,
    at_ms bigint not null,
    person text not null,
    why text not null,
    body BYTES not null -- as it was stored
);

create table audit (
    chain text not null,
    n bigint not null,
    at_ms bigint not null,
    person text not null,
    role text not null,
    on_behalf_of text,
    org text not null,
    action text not null,
    outcome text not null,
    patient text,
    object text not null,
    visit text,
    detail BYTES, -- sealed
    prev_hash BYTES not null,
    hash BYTES not null,
    primary key (chain, n)
);
create index audit_patient on audit (patient, at_ms);
create index audit_person on audit (person, at_ms);

create table probe (
    id bigint primary key not null,
    filler BYTES not null
);
