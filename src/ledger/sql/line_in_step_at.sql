-- What no row tells goes back to the ledger's beginning.
SELECT coalesce((SELECT in_step_at FROM line WHERE organisation = ?1 AND from_number = ?2), created_at) AS in_step_at,
    takes_over
FROM ledger;
