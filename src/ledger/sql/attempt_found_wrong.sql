SELECT 1 FROM attempt WHERE entry_id = ?1 AND to_number = ?2 AND outcome IN ('wrong_number', 'invalid_number');
