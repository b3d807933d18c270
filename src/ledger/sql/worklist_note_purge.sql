-- Notes that are as old as the data that is purged, and those about the entries that are; ?2 is an empty content.
UPDATE worklist_tick SET note = NULL
WHERE note IS NOT NULL AND (at < ?1 OR entry_id IN (SELECT id FROM entry WHERE content = ?2));
