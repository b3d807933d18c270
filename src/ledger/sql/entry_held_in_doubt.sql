-- Whether the entry is held for a review and no conversation of it is in doubt any more.
SELECT 1 FROM entry
WHERE id = ?1 AND state = 'held' AND reason IN ('possible_opt_out', 'possibly_deceased')
    AND NOT EXISTS (SELECT 1 FROM attempt WHERE entry_id = entry.id AND doubt IS NOT NULL);
