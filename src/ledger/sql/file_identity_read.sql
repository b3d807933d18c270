SELECT inode, born_at FROM ledger;
