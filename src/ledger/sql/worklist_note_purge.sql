UPDATE worklist_tick SET note = NULL WHERE note IS NOT NULL AND at < ?1;
