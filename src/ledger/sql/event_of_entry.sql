SELECT at, kind, state_before, state_after, reason, detail FROM event WHERE entry_id = ?1 ORDER BY id;
