SELECT identity FROM ledger;
