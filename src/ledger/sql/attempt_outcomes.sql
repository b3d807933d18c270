SELECT outcome, count(*) AS count FROM attempt WHERE run_id = ?1 AND state = 'ended' AND NOT taken_over GROUP BY outcome;
