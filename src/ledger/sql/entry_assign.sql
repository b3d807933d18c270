-- Whose line calls the entries of a location, since the campaign was changed. `?2` none: of all locations.
UPDATE entry SET organisation = ?3
WHERE campaign_id = ?1 AND organisation <> ?3 AND location IS coalesce(?2, location)
    AND state NOT IN ('finished', 'failed', 'cancelled');
