INSERT INTO writeback (campaign_id, at, made_by, format, calls)
VALUES ((SELECT id FROM campaign WHERE name = ?1), ?2, ?3, ?4, ?5);
