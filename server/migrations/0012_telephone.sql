-- A visit goes on by telephone. Types as in 0001.

alter table visit add column phone_since_ms bigint; -- since when, while it does
alter table visit add column phone_by text; -- the seat of whoever calls the patient
