-- Whose line calls the entries of each location: `?2` has both, as pairs.
WITH line AS MATERIALIZED (
    SELECT json_extract(value, '$[0]') AS location, json_extract(value, '$[1]') AS organisation FROM json_each(?2)
)
UPDATE entry SET organisation = line.organisation FROM line
WHERE campaign_id = ?1 AND entry.location = line.location AND entry.organisation <> line.organisation
    AND state NOT IN ('finished', 'failed', 'cancelled');
