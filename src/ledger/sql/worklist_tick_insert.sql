INSERT INTO worklist_tick (entry_id, work_group, attempt_id, at, ticked_by, note) VALUES (?1, ?2, ?3, ?4, ?5, ?6);
