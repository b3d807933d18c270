-- Removes the content and the alternate numbers of entries that are over; ?2 is an empty content.
UPDATE entry SET content = ?2, alternatives = '[]'
WHERE updated_at < ?1 AND state IN ('finished', 'failed', 'suppressed', 'withdrawn', 'expired', 'cancelled')
    AND content <> ?2;
