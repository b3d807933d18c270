SELECT max(id) FROM run GROUP BY campaign_id ORDER BY max(id) DESC;
