-- ?4: the campaign's run before this one.
UPDATE entry SET run_id = ?2, line = ?3, listed_since = CASE WHEN run_id >= ?4 THEN listed_since ELSE ?2 END WHERE id = ?1;
