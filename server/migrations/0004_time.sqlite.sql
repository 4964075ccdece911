create trigger visit_time_no_update before update on visit_time
begin
    select raise(abort, 'billing time is never changed');
end;

create trigger visit_time_no_delete before delete on visit_time
begin
    select raise(abort, 'billing time is never deleted');
end;

create trigger sheet_entry_no_update before update on sheet_entry
begin
    select raise(abort, 'what was said to a sheet is never changed');
end;

create trigger sheet_entry_no_delete before delete on sheet_entry
begin
    select raise(abort, 'what was said to a sheet is never deleted');
end;
