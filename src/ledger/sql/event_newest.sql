-- The newest event by time that an operator has not disowned.
SELECT at FROM event WHERE id > (SELECT disowned_times_up_to FROM ledger) ORDER BY at DESC LIMIT 1;
