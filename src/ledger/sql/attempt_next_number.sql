SELECT count(*) + 1 FROM attempt WHERE entry_id = ?1 AND state NOT IN ('not_placed', 'refused');
