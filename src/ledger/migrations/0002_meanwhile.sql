-- What the newest list says of an entry that is not settled, to be carried out once it is: where the entry belongs then,
-- and why.
ALTER TABLE entry ADD COLUMN meanwhile TEXT CHECK (meanwhile IN ('suppressed', 'held', 'withdrawn'));
ALTER TABLE entry ADD COLUMN meanwhile_reason TEXT CHECK ((meanwhile IS NULL) = (meanwhile_reason IS NULL));
