-- Visits, seats, and the links and sessions that lead to a seat. Types as in 0001.

create table visit (
    id text primary key not null,
    kind text not null,
    record text, -- the record beside the call
    ended_ms bigint,
    created_ms bigint not null
);

create table seat (
    id text primary key not null,
    visit text not null,
    person text not null,
    role text not null,
    admitted smallint not null, -- kept over a restart, so that a crash sends nobody back into the waiting room
    wrong_dates smallint not null, -- wrong birth dates since wrong_since_ms
    wrong_since_ms bigint not null,
    wrong_today smallint not null, -- wrong birth dates on wrong_day
    wrong_day bigint not null, -- days since 1970
    revoked_ms bigint,
    created_ms bigint not null
);
create index seat_visit on seat (visit);

create table link (
    hash BYTES primary key not null, -- SHA-256 of the token
    seat text not null,
    dek text not null,
    token BYTES not null, -- sealed: staff may show a link again
    revoked_ms bigint,
    created_ms bigint not null
);
create index link_seat on link (seat);

create table seat_session (
    hash BYTES primary key not null, -- SHA-256 of the cookie
    seat text not null,
    dek text not null,
    queue_key BYTES not null, -- sealed: the browser seals unsent edits with it
    created_ms bigint not null
);
create index seat_session_seat on seat_session (seat);
