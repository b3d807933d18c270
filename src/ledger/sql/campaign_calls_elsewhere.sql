-- The campaign's calls that are not settled at another kind of vendor than ?2, with its word.
SELECT campaign.vendor, count(*) AS calls
FROM campaign JOIN entry ON entry.campaign_id = campaign.id JOIN attempt ON attempt.entry_id = entry.id
WHERE campaign.name = ?1 AND campaign.vendor <> ?2
    AND (attempt.state = 'submitting' OR attempt.state = 'open' OR attempt.state = 'unknown')
GROUP BY campaign.vendor;
