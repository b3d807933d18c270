-- Without a condition SQLite frees every page of the table, and `secure_delete` overwrites each.
DELETE FROM worklist_tick;
INSERT INTO worklist_tick (id, entry_id, work_group, attempt_id, at, ticked_by, note, undone_at, undone_by)
SELECT id, entry_id, work_group, attempt_id, at, ticked_by, note, undone_at, undone_by FROM ticks_that_stay ORDER BY id;
DROP TABLE ticks_that_stay;
