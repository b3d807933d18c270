SELECT rehearsal FROM ledger;
