SELECT behind_since FROM ledger;
