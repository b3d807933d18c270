-- Whether a conversation belongs to no attempt and went to the number of one of our entries. Excluded are calls that
-- may belong to an attempt whose answer was lost, which rule R or an operator settles: any while the attempt is
-- unresolved, and, once it was settled otherwise, those that began at about its time.
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
