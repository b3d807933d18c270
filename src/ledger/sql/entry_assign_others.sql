-- Entries whose location has no line any more: whoever claims them finds that out.
UPDATE entry SET organisation = ?2
WHERE campaign_id = ?1 AND organisation NOT IN (SELECT value FROM json_each(?3))
    AND state NOT IN ('finished', 'failed', 'cancelled');
