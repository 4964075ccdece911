-- Passkeys of staff, the links by which they are set up, and what is kept of a signature that was confirmed with one.
-- Types as in 0001.

create table passkey (
    id text primary key not null,
    person text not null,
    credential text not null unique, -- SHA-256 of the credential's id, in hexadecimal digits
    dek text not null,
    uses bigint not null, -- how often it was used: of two who use it at once the second is refused
    body BYTES not null, -- sealed: whose, credential id, public key, counter, name
    added_ms bigint not null,
    used_ms bigint,
    copied_ms bigint -- its counter went back, so there may be two of it: refused from then on
);
create index passkey_person on passkey (person);

create table passkey_link (
    hash BYTES primary key not null, -- SHA-256 of the token, which is nowhere kept
    person text not null,
    created_ms bigint not null,
    expires_ms bigint not null,
    used_ms bigint
);

create table step_up (
    doc text not null,
    seq bigint not null, -- the change that signed
    passkey text not null, -- SHA-256 of the credential's id, in hexadecimal digits
    at_ms bigint not null,
    evidence BYTES not null, -- sealed: the question, the answer and the public key
    primary key (doc, seq)
);
