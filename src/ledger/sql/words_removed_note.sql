UPDATE ledger SET words_removed_at = ?1;
