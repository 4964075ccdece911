-- Agreements of collaborative drug therapy management, and all that was written in them. Types as in 0001.

create table cdtm_agreement (
    id text primary key not null,
    patient text not null,
    physician text not null,
    pharmacist text, -- whom the draft names; with the physician, for the list of an inspection
    created_ms bigint not null
);
create index cdtm_agreement_patient on cdtm_agreement (patient);

create table cdtm_entry (
    agreement text not null,
    n bigint not null, -- place in the agreement, from 1: of two who write at once the second is refused
    id text not null unique, -- made by the client
    at_ms bigint not null,
    dek text not null,
    body BYTES not null, -- sealed: who, what, terms, reports
    primary key (agreement, n)
);
