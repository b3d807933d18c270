-- The scope of the newest cancellation.
SELECT campaign_id, cancellation.run_id FROM cancellation JOIN entry ON entry.id = entry_id
ORDER BY at DESC LIMIT 1;
