UPDATE ledger SET takes_over = 0;
