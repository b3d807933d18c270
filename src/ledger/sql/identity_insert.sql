INSERT INTO ledger (only, identity, created_at) VALUES (1, ?1, ?2);
