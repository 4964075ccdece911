-- Bookings fulfil touchpoints of a plan, and are moved to another time. Types as in 0001.

alter table booking add column touchpoint text; -- the row of the plan it was booked for, if for one
alter table booking add column format text not null default 'video'; -- video, phone, in_person
alter table booking add column uid text not null default ''; -- of the invitation: the visit it was first booked as
alter table booking add column replaced_by text; -- the visit that took its place when it was moved
update booking set uid = visit;
-- Of two who move or cancel one booking at once, the second is refused.
create unique index booking_uid on booking (uid, sequence);
