-- Entries whose location no longer has a caller id go to ?2, whose claim holds them.
UPDATE entry SET organisation = ?2
WHERE campaign_id = ?1 AND organisation NOT IN (SELECT value FROM json_each(?3))
    AND state NOT IN ('finished', 'failed');
