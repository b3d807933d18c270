-- What was said to those who are over, and on which other numbers: ?2 is a content that says nothing.
UPDATE entry SET content = ?2, alternatives = '[]'
WHERE updated_at < ?1 AND meanwhile IS NULL
    AND state IN ('finished', 'failed', 'suppressed', 'withdrawn', 'expired', 'cancelled')
    AND content <> ?2;
