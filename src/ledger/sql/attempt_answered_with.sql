SELECT 1 FROM attempt WHERE conversation = ?1 AND found = 0;
