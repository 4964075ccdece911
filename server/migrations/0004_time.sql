-- Billing time: who had which live media when, and what a pharmacist said to the sheet. Types as in 0001.

create table visit_call (
    call text primary key not null,
    visit text not null,
    began_ms bigint not null,
    known_ms bigint not null, -- until when the call is known to have gone on
    over smallint not null -- 1 once it ended in order
);
create index visit_call_visit on visit_call (visit);

create table visit_time (
    call text not null,
    n bigint not null, -- place in the call
    seat text not null,
    side text not null,
    live text not null,
    at_ms bigint not null, -- on the call's clock, which never goes back
    primary key (call, n)
);

create table sheet_entry (
    id text primary key not null,
    visit text not null,
    person text not null,
    at_ms bigint not null,
    dek text not null,
    body BYTES not null -- sealed: what was attested, for which payer, or adjusted and why
);
create index sheet_entry_visit on sheet_entry (visit);
