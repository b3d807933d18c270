INSERT INTO planned (run_id, entry_id, phone, content, calls)
SELECT ?1, id, ?4, ?5, ?6 FROM entry WHERE campaign_id = ?2 AND key = ?3;
