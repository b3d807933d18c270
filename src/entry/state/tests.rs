//! Every transition, compared with tables that were written by hand.

use std::fmt::Write;

use super::*;
use crate::entry::AttemptState;

/// The state of every entry after every fact; `-`: the fact cannot be true of it. Written by hand from the diagram.
const ENTRIES: &str = "
                     ready      waiting    submitting open       unknown    held       finished   failed     suppressed withdrawn  expired    cancelled  lost_track
claimed              submitting submitting -          -          -          -          -          -          -          -          -          -          -
deferred             waiting    waiting    -          -          -          -          -          -          -          -          -          -          -
barred               suppressed suppressed -          -          -          suppressed -          -          suppressed suppressed -          -          -
set_aside            held       held       -          -          -          held       -          -          held       held       -          -          -
unlisted             withdrawn  withdrawn  -          -          -          withdrawn  -          -          withdrawn  -          -          -          -
too_late             expired    expired    -          -          -          -          -          -          -          -          -          -          -
listed               -          -          -          -          -          ready      -          -          ready      ready      ready      -          -
number_corrected     -          -          -          -          -          -          ready      ready      -          -          -          -          -
settled_before       finished   finished   -          -          -          -          -          -          -          -          -          -          -
accepted             -          -          open       -          -          -          -          -          -          -          -          -          -
not_placed           -          -          ready      -          -          -          -          -          -          -          -          -          -
refused              -          -          failed     -          -          -          -          -          -          -          -          -          -
answer_lost          -          -          unknown    -          -          -          -          -          -          -          -          -          -
ended                finished   finished   -          finished   -          -          -          -          -          -          -          -          finished
ended,redial         -          -          -          waiting    -          -          -          -          -          -          -          -          waiting
track_lost           -          -          -          lost_track -          -          -          -          -          -          -          -          -
adopted              -          -          -          -          open       open       -          -          -          -          -          -          -
absent               -          -          -          -          held       -          -          -          -          -          -          -          -
absent,retry         -          -          -          -          ready      -          -          -          -          -          -          -          -
declared_not_placed  -          -          -          -          -          ready      -          ready      -          -          -          -          -
cancelled            cancelled  cancelled  -          -          -          cancelled  -          cancelled  -          -          -          -          cancelled
ended_in_doubt       held       held       -          held       -          -          -          -          -          -          -          -          held
review_needed        held       held       -          -          -          -          held       held       held       held       held       held       -
reviewed             -          -          -          -          -          finished   -          -          -          -          -          -          -
reviewed,redial      -          -          -          -          -          waiting    -          -          -          -          -          -          -
reclassified         finished   finished   -          -          -          -          finished   -          -          -          -          -          -
reclassified,redial  waiting    waiting    -          -          -          -          waiting    -          -          -          -          -          -
bar_lifted           -          -          -          -          -          -          -          -          ready      -          -          -          -
reinstated           -          -          -          -          -          -          -          -          -          -          -          ready      -
reinstated           -          -          -          -          -          -          -          -          -          -          -          waiting    -
reinstated           -          -          -          -          -          -          -          -          -          -          -          held       -
reinstated           -          -          -          -          -          -          -          -          -          -          -          -          -
";

/// The same table for attempts.
const ATTEMPTS: &str = "
                     submitting open       unknown    not_placed refused    ended      absent     lost_track
claimed              -          -          -          -          -          -          -          -
deferred             -          -          -          -          -          -          -          -
barred               -          -          -          -          -          -          -          -
set_aside            -          -          -          -          -          -          -          -
unlisted             -          -          -          -          -          -          -          -
too_late             -          -          -          -          -          -          -          -
listed               -          -          -          -          -          -          -          -
number_corrected     -          -          -          -          -          -          -          -
settled_before       -          -          -          -          -          -          -          -
accepted             open       -          -          -          -          -          -          -
not_placed           not_placed -          -          -          -          -          -          -
refused              refused    -          -          -          -          -          -          -
answer_lost          unknown    -          -          -          -          -          -          -
ended                -          ended      -          -          -          -          -          ended
ended,redial         -          ended      -          -          -          -          -          ended
track_lost           -          lost_track -          -          -          -          -          -
adopted              -          -          open       -          -          -          open       -
absent               -          -          absent     -          -          -          -          -
absent,retry         -          -          not_placed -          -          -          -          -
declared_not_placed  -          -          -          -          not_placed -          not_placed -
cancelled            -          -          -          -          -          -          -          -
ended_in_doubt       -          ended      -          -          -          -          -          ended
review_needed        -          -          -          -          -          -          -          -
reviewed             -          -          -          -          -          -          -          -
reviewed,redial      -          -          -          -          -          -          -          -
reclassified         -          -          -          -          -          -          -          -
reclassified,redial  -          -          -          -          -          -          -          -
bar_lifted           -          -          -          -          -          -          -          -
reinstated           -          -          -          -          -          -          -          -
reinstated           -          -          -          -          -          -          -          -
reinstated           -          -          -          -          -          -          -          -
reinstated           -          -          -          -          -          -          -          -
";

/// A table of the same form with the program's decisions.
fn table<S: Copy>(states: &[S], name: impl Fn(S) -> &'static str, after: impl Fn(S, &Fact) -> Option<S>) -> String {
    let mut table = String::from("\n");
    let mut row = |head: &str, cells: Vec<&str>| {
        let cells: String = cells.iter().fold(String::new(), |mut line, cell| {
            let _ = write!(line, "{cell:<11}");
            line
        });
        let _ = writeln!(table, "{}", format!("{head:<21}{cells}").trim_end());
    };
    row("", states.iter().map(|state| name(*state)).collect());
    for fact in Fact::every_shape() {
        let again = matches!(
            fact,
            Fact::Ended { redial: Some(_), .. }
                | Fact::Reviewed { redial: Some(_), .. }
                | Fact::Reclassified { redial: Some(_), .. }
        );
        let retry = matches!(fact, Fact::Absent { retry: true });
        let shape = [(again, ",redial"), (retry, ",retry")].into_iter().find_map(|(is, shape)| is.then_some(shape));
        let head = fact.name().to_owned() + shape.unwrap_or_default();
        row(&head, states.iter().map(|state| after(*state, &fact).map_or("-", &name)).collect());
    }
    table
}

#[test]
fn every_fact_takes_every_entry_where_the_table_says() {
    let decided = table(&State::ALL, State::name, |state, fact| state.after(fact).ok());
    assert_eq!(decided, ENTRIES, "decided:{decided}");
}

#[test]
fn every_fact_takes_every_attempt_where_the_table_says() {
    let decided = table(&AttemptState::ALL, AttemptState::name, AttemptState::after);
    assert_eq!(decided, ATTEMPTS, "decided:{decided}");
}

#[test]
fn every_state_has_words_for_people() {
    let labels = [
        "ready to call",
        "waiting",
        "being dialled",
        "in a call",
        "maybe called",
        "held for a person",
        "finished",
        "refused by the vendor",
        "not to be called",
        "off the list",
        "too late to call",
        "cancelled",
        "called with unknown outcome",
    ];
    assert_eq!(State::ALL.map(State::label), labels);
}

#[test]
fn an_impossible_fact_is_refused_by_name() {
    let illegal = State::Finished.after(&Fact::Claimed).expect_err("it is over");
    assert_eq!(illegal.to_string(), "an entry that is finished cannot be claimed");
}
