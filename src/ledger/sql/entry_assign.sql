-- Assigns entries to the organisation that calls for their location; `?2` is a JSON array of [location, organisation].
WITH caller AS MATERIALIZED (
    SELECT json_extract(value, '$[0]') AS location, json_extract(value, '$[1]') AS organisation FROM json_each(?2)
)
UPDATE entry SET organisation = caller.organisation FROM caller
WHERE campaign_id = ?1 AND entry.location = caller.location AND entry.organisation <> caller.organisation
    AND state NOT IN ('finished', 'failed');
