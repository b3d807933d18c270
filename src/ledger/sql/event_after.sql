SELECT count(*), max(at) FROM event WHERE at > ?1 AND id > (SELECT disowned_times_up_to FROM ledger);
