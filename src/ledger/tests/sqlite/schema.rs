//! The schema as the last guard: whatever the program asks for, the database refuses what must not be.

use std::collections::BTreeSet;

use super::*;
use crate::ledger::transition::Transition;

#[test]
fn the_linked_sqlite_keeps_every_commit() {
    assert!(rusqlite::version_number() >= 3_051_003, "{}", rusqlite::version());
}

#[test]
fn one_number_has_at_most_one_unresolved_attempt_even_past_the_rules() {
    let (fixture, path) = with_file(&[entry("P-1", 101), entry("P-2", 101)]);
    fixture.claim();
    let second = connection(&path).execute(
        "INSERT INTO attempt (entry_id, run_id, number, organisation, from_number, to_number, state, intent_at)
         SELECT 2, run_id, 1, organisation, from_number, to_number, 'submitting', intent_at FROM attempt",
        [],
    );
    let error = second.expect_err("the index refuses it").to_string();
    assert!(error.contains("UNIQUE"), "{error}");
}

#[test]
fn the_database_allows_exactly_the_transitions_that_the_program_decides() {
    let (_fixture, path) = with_file(&[]);
    let conn = connection(&path);
    let mut statement = conn.prepare("SELECT state_before, state_after FROM legal_transition").expect("the table");
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("rows");
    let allowed: BTreeSet<(String, String)> = rows.collect::<Result<_, _>>().expect("words");
    let pairs = State::ALL.iter().flat_map(|before| Fact::every_shape().into_iter().map(move |fact| (*before, fact)));
    let decided = pairs
        .filter_map(|(before, fact)| Some((before.name().to_owned(), before.after(&fact).ok()?.name().to_owned())))
        .collect();
    assert_eq!(allowed, decided);
}

#[test]
fn a_transition_from_another_state_than_the_entrys_is_refused() {
    let (fixture, path) = with_file(&[entry("P-1", 101)]);
    let conn = connection(&path);
    let transition = |from| Transition {
        run: fixture.run.run,
        entry: EntryId(1),
        attempt: None,
        at: noon(),
        from,
        fact: &Fact::TooLate { reason: Reason::NotAfter },
        detail: None,
    };
    let stale = transition(State::Waiting).apply(&conn);
    assert!(matches!(stale, Err(LedgerError::Conflict)), "{stale:?}");
    fixture.check_states(&[("P-1", State::Ready)]);
    assert_eq!(transition(State::Ready).apply(&conn).expect("it is ready"), State::Expired);
}

#[test]
fn the_database_refuses_every_other_transition() {
    let (_fixture, path) = with_file(&[entry("P-1", 101)]);
    let error = connection(&path).execute("UPDATE entry SET state = 'lost_track'", []);
    let error = error.expect_err("the trigger refuses it").to_string();
    assert!(error.contains("illegal transition"), "{error}");
}

#[test]
fn events_are_neither_changed_nor_removed() {
    let (_fixture, path) = with_file(&[entry("P-1", 101)]);
    for statement in ["UPDATE event SET detail = 'x'", "DELETE FROM event"] {
        let error = connection(&path).execute(statement, []).expect_err("the trigger refuses it").to_string();
        assert!(error.contains("append-only"), "{error}");
    }
}

#[test]
fn the_schema_has_every_attempt_state() {
    let (_fixture, path) = with_file(&[]);
    let table: String = connection(&path)
        .query_row("SELECT sql FROM sqlite_schema WHERE name = 'attempt'", [], |row| row.get(0))
        .expect("the table");
    for state in AttemptState::ALL {
        assert!(table.contains(&format!("'{}'", state.name())), "{}", state.name());
    }
}

#[test]
fn the_database_refuses_an_inconsistent_row() {
    let (_fixture, path) = with_file(&[entry("P-1", 101)]);
    let conn = connection(&path);
    for assignment in [
        "state = 'asleep'",
        "state = 'held'",
        "state = 'finished'",
        "meanwhile = 'open', meanwhile_reason = 'x'",
        "meanwhile = 'held'",
        "meanwhile_reason = 'unlisted'",
    ] {
        let update = format!("UPDATE entry SET {assignment}");
        assert!(conn.execute(&update, []).is_err(), "{assignment}");
        let columns = "campaign_id, run_id, key, line, organisation, phone, alternatives, zones, content, due_at, \
                       created_at, updated_at, state";
        let insert = format!(
            "INSERT INTO entry ({columns}) SELECT campaign_id, run_id, 'other', line, organisation, phone, \
             alternatives, zones, content, due_at, created_at, updated_at, 'asleep' FROM entry"
        );
        assert!(conn.execute(&insert, []).is_err());
        let of_one_key = insert.replace("'other'", "key").replace("'asleep'", "state");
        assert!(conn.execute(&of_one_key, []).is_err(), "two entries of one key");
    }
    conn.execute("UPDATE entry SET meanwhile = 'held', meanwhile_reason = 'unlisted'", []).expect("consistent");
}
