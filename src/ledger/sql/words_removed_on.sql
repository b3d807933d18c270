-- Whether what was said was removed within the ?2 milliseconds before ?1, and no campaign keeps it for as short a time.
SELECT 1 FROM ledger
WHERE words_removed_at BETWEEN ?1 - ?2 AND ?1 AND NOT EXISTS (SELECT 1 FROM campaign WHERE keep_words_for <= ?2);
