UPDATE ledger SET identity = ?1, inode = ?2, born_at = ?3, adoptions = adoptions + 1, adopted_at = ?4;
