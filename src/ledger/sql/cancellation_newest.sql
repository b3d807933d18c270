-- The newest `cancel` of which something can be taken back, and its campaign. An entry whose content was purged
-- cannot be called, so it is not brought back.
SELECT decision, campaign_id FROM cancellation JOIN entry ON entry.id = entry_id
WHERE NOT (state = 'cancelled' AND content = ?1)
ORDER BY decision DESC LIMIT 1;
