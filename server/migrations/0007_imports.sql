-- What was imported when: each batch with its mapping report and where every row came from. Types as in 0001.

create table import_batch (
    id text primary key not null,
    record text not null,
    dek text not null,
    person text not null, -- empty: an operator's command
    at_ms bigint not null,
    content BYTES not null -- sealed: hash of the file, report, resources with version and hash
);
create index import_batch_record on import_batch (record, at_ms);
