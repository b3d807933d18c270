-- Who has paused the run: it places no further call until somebody goes on with it. NULL: nobody.
ALTER TABLE run ADD COLUMN paused_by TEXT;
