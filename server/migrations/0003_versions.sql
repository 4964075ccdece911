-- Signed versions of a plan, and the credentials they are signed with. Types as in 0001.

create table doc_version (
    doc text not null,
    version bigint not null,
    seq bigint not null, -- the change that signed it
    content BYTES not null, -- sealed: canonical JSON (RFC 8785)
    sha256 text not null, -- of the canonical JSON
    person text not null,
    at_ms bigint not null,
    primary key (doc, version)
);

create table credential (
    id text primary key not null,
    person text not null,
    kind text not null,
    number text not null, -- as printed on it
    state text not null, -- empty: holds everywhere
    expires text not null, -- the last day it holds, YYYY-MM-DD
    created_ms bigint not null
);
create index credential_person on credential (person);

-- A signature is a change of the log like any other, so the head need not know of it.
alter table doc_head drop column sealed;
alter table doc_head drop column sealed_hash;
