-- Entries that are callable, or may become so by something other than a list.
SELECT id, state, reason, due_at, outcome, phone, alternatives, zones, content, location, not_after, key FROM entry
WHERE campaign_id = ?1
    AND state NOT IN ('withdrawn', 'expired') AND (state <> 'suppressed' OR reason = 'suppressed')
ORDER BY id;
