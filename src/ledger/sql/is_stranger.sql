-- A conversation that is no attempt's, to the number of one of our entries. It may still be an attempt's whose answer was
-- lost, which is rule R's and the operator's business: of one that was settled otherwise, if it began at about that time.
SELECT 1
WHERE NOT EXISTS (SELECT 1 FROM attempt WHERE conversation = ?1)
    AND EXISTS (SELECT 1 FROM entry WHERE phone = ?2)
    AND NOT EXISTS (
        SELECT 1 FROM attempt
        WHERE to_number = ?2
            AND (
                state IN ('submitting', 'unknown')
                OR (
                    (state = 'absent' OR (state = 'not_placed' AND reason IN ('answer_lost', 'operator')))
                    AND ?3 BETWEEN intent_at - ?4 AND coalesce(lost_at, intent_at) + ?4
                )
            )
    );
