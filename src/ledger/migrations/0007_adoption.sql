-- An adoption is for each of our numbers: the first look of each after it takes over what the ledger lacks of its calls.
ALTER TABLE ledger ADD COLUMN adoptions INTEGER NOT NULL DEFAULT 0;   -- how often the ledger was adopted
ALTER TABLE line ADD COLUMN adoptions INTEGER NOT NULL DEFAULT 0;     -- how many of them the line's looks have followed
UPDATE ledger SET adoptions = takes_over;
ALTER TABLE ledger DROP COLUMN takes_over;
