-- Our numbers, and until when this ledger is known to hold every call that they placed: moved on with every claim, and
-- with every look at the vendor's list that found no other. An older copy of the ledger put back in its place holds
-- fewer calls than that list shows since then.
CREATE TABLE line (
    organisation TEXT NOT NULL,
    from_number  TEXT NOT NULL,
    in_step_at   INTEGER NOT NULL,
    PRIMARY KEY (organisation, from_number)
) STRICT, WITHOUT ROWID;

INSERT INTO line (organisation, from_number, in_step_at)
SELECT organisation, from_number, max(intent_at) FROM attempt GROUP BY organisation, from_number;

-- Set when an operator adopts the ledger: calls that it does not know are taken over by the next run.
ALTER TABLE ledger ADD COLUMN takes_over INTEGER NOT NULL DEFAULT 0 CHECK (takes_over IN (0, 1));
