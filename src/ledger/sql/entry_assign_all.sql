-- Without locations, one organisation calls every entry.
UPDATE entry SET organisation = ?2
WHERE campaign_id = ?1 AND organisation <> ?2 AND state NOT IN ('finished', 'failed');
