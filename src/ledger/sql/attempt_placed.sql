SELECT organisation, count(*) FROM attempt
WHERE run_id = ?1 AND state NOT IN ('not_placed', 'refused')
GROUP BY organisation;
