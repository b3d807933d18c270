-- One practice calls everybody.
UPDATE entry SET organisation = ?2
WHERE campaign_id = ?1 AND organisation <> ?2 AND state NOT IN ('finished', 'failed', 'cancelled');
