SELECT count(*) FROM attempt WHERE intent_at >= ?1;
