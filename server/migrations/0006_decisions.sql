-- Links by which a prescriber answers one recommendation outside a visit. Types as in 0001.

create table decision_link (
    hash BYTES primary key not null, -- SHA-256 of the token, which is nowhere kept
    record text not null,
    recommendation text not null, -- its row
    person text not null, -- who answers
    seat text not null, -- the place the answer comes from
    made_by text not null,
    created_ms bigint not null,
    expires_ms bigint not null,
    revoked_ms bigint
);
create index decision_link_recommendation on decision_link (recommendation);
