-- Visits that were booked for a time, in another visit. Types as in 0001.

create table booking (
    visit text primary key not null,
    booked_in text not null, -- the visit in which it was agreed
    starts_ms bigint not null,
    minutes bigint not null,
    zone text not null, -- IANA: in which the hour was agreed
    sequence bigint not null, -- of the invitation (RFC 5545 section 3.8.7.4)
    changed_ms bigint not null,
    cancelled smallint not null
);
create index booking_booked_in on booking (booked_in);
