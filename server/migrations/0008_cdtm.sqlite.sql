create trigger cdtm_entry_no_update before update on cdtm_entry
begin
    select raise(abort, 'what was written in an agreement is never changed');
end;

create trigger cdtm_entry_no_delete before delete on cdtm_entry
begin
    select raise(abort, 'what was written in an agreement is never deleted');
end;
