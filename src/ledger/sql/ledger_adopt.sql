-- What an earlier adoption left to be looked for goes back further.
UPDATE ledger SET identity = ?1, inode = ?2, born_at = ?3, behind_since = coalesce(behind_since, ?4);
