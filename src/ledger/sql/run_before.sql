-- The campaign's run before ?2 whose list was enrolled to its end; 0: none.
SELECT coalesce(max(id), 0) FROM run WHERE campaign_id = ?1 AND id < ?2 AND listed = 1;
