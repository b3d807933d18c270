UPDATE ledger SET inode = ?1, born_at = ?2;
