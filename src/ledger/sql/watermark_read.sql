-- A caller id without a row has its watermark at the ledger's creation.
SELECT coalesce(line.in_step_at, ledger.created_at) AS in_step_at,
    ledger.adoptions > coalesce(line.adoptions, 0) AS takes_over,
    ledger.adopted_at
FROM ledger LEFT JOIN line ON line.organisation = ?1 AND line.from_number = ?2;
