-- Whether what was said was removed within the ?2 milliseconds before ?1.
SELECT 1 FROM ledger WHERE words_removed_at BETWEEN ?1 - ?2 AND ?1;
