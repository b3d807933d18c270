-- The call did not count after all: the rules are asked again for those who wait because of it, who are on its number or were
-- covered by it.
UPDATE entry SET due_at = min(due_at, ?2)
WHERE state = 'waiting' AND id IN (
    SELECT other.id FROM attempt JOIN entry AS other ON other.phone = attempt.to_number WHERE attempt.id = ?1
    UNION
    SELECT other.id
    FROM attempt JOIN entry AS called ON called.id = attempt.entry_id
        JOIN covered ON covered.attempt_id = attempt.id
        JOIN entry AS other ON other.campaign_id = called.campaign_id AND other.key = covered.key
    WHERE attempt.id = ?1
);
