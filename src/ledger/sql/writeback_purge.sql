UPDATE writeback SET content = NULL WHERE content IS NOT NULL AND at < ?1;
