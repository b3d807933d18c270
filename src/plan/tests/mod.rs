//! What `check` promises, a run does: for random ledgers and lists, the plan of an instant is compared with enrolling the
//! same list and claiming at that instant.
//!
//! * `cargo test` runs the seeds of [`EVERY_RUN`].
//! * `CALLROUNDS_SEEDS=0..10000 cargo test --release --lib plan::tests -- --nocapture` runs a range; a broken seed is
//!   printed, and `CALLROUNDS_SEEDS=17..18` repeats seed 17.

mod random_ledger;
mod seeded_rng;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io::Write as _;
use std::ops::Range;

use chrono::{DateTime, Utc};

use self::random_ledger::{Ran, RandomLedger};
use super::*;
use crate::entry::{AbsenceEffect, Outcome, Reason, State};
use crate::ids::{EntryId, EntryKey};
use crate::ledger::EntryRow;
use crate::phone::E164;

/// The seeds of an ordinary test run.
const EVERY_RUN: Range<u64> = 0..150;

/// What a hundred seeds cover.
const COVERED: [&str; 12] = [
    "called",
    "not due",
    "later",
    "absent",
    "daily_cap",
    "weekly_cap",
    "number_busy",
    "window",
    "held no_line",
    "finished spoken_for",
    "suppressed suppressed",
    "expired not_after",
];

/// The lists of one ledger.
const LISTS: usize = 5;

/// What happens to an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum EntryResult {
    /// It is called at once, after so many other calls to it.
    Called(E164, u32),
    /// A rule defers it.
    Deferred(DateTime<Utc>, Option<Reason>),
    /// It is not called.
    LeftOut(State, Option<Reason>, Option<Outcome>),
    /// It is not due yet, so that nothing is decided.
    NotDue(DateTime<Utc>),
}

/// What a plan says of each entry about which a claim at `at` decides.
fn promised(plan: &Plan, at: DateTime<Utc>) -> HashMap<&EntryKey, EntryResult> {
    let of_call = |call: &PlannedCall| match call.slot.why {
        _ if call.earliest == at => EntryResult::Called(call.phone, call.calls),
        SlotReason::Rule(reason) => EntryResult::Deferred(call.earliest, Some(reason)),
        SlotReason::Now | SlotReason::WindowCloses | SlotReason::MaxCalls => EntryResult::Deferred(call.earliest, None),
    };
    let calls = plan.calls.iter().map(|call| (&call.key, of_call(call)));
    let left_out = plan.left_out.iter();
    let left_out = left_out.map(|it| (&it.key, EntryResult::LeftOut(it.state, it.reason, it.outcome)));
    calls.chain(left_out).collect()
}

/// What happened to each entry at an instant.
fn seen(ran: &Ran, rows: &[EntryRow], at: DateTime<Utc>) -> HashMap<EntryKey, EntryResult> {
    let claimed: HashMap<_, _> = ran.claimed.iter().map(|claim| (claim.entry, claim)).collect();
    let deferred: HashSet<EntryId> = ran.deferred.iter().map(|deferral| deferral.entry).collect();
    let result = |row: &EntryRow| match (claimed.get(&row.entry), row.due_at) {
        (Some(claim), _) => EntryResult::Called(claim.to, claim.number - 1),
        (None, Some(due_at)) if deferred.contains(&row.entry) => EntryResult::Deferred(due_at, row.reason),
        (None, Some(due_at)) => {
            assert!(due_at > at, "entry {} is due and was not claimed", row.entry);
            EntryResult::NotDue(due_at)
        }
        (None, None) => EntryResult::LeftOut(row.state, row.reason, row.outcome),
    };
    rows.iter().map(|row| (row.key.clone(), result(row))).collect()
}

/// What the seeds covered, so that a test which no longer tests anything is noticed.
type Coverage = BTreeMap<String, u64>;

/// Compares the plan of the list with its run. Returns the entries that were not due.
fn compare(plan: &Plan, ran: &Ran, ledger: &RandomLedger, coverage: &mut Coverage) -> Vec<EntryRow> {
    let now = ledger.now;
    let gone = |absence| plan.gone.iter().filter(|gone| gone.absence == absence).count() as u64;
    assert_eq!(plan.changes, ran.listed.enrolled, "changes");
    assert_eq!(gone(AbsenceEffect::Withdrawn), ran.listed.withdrawn, "withdrawn");
    let (promised, rows) = (promised(plan, now), ledger.rows());
    let seen = seen(ran, &rows, now);
    let absent: HashMap<_, _> = plan.gone.iter().map(|gone| (&gone.key, gone.absence)).collect();
    for row in &rows {
        let seen = seen[&row.key];
        let promised = promised.get(&row.key).copied();
        let is_kept = match (promised, seen) {
            (Some(EntryResult::Deferred(at, _)), EntryResult::NotDue(due_at)) => at >= due_at,
            // Another call to the number may be planned for later: then the entry waits for its hours until then.
            (Some(EntryResult::LeftOut(..)), EntryResult::NotDue(_))
            | (Some(EntryResult::LeftOut(_, Some(Reason::NumberUsed), _)), EntryResult::Deferred(..)) => true,
            (Some(promised), seen) => promised == seen,
            (None, EntryResult::LeftOut(state, ..)) => {
                (state == State::Withdrawn) || absent.get(&row.key) != Some(&AbsenceEffect::Withdrawn)
            }
            (None, _) => false,
        };
        assert!(is_kept, "{:?}, promised: {promised:?}, seen: {seen:?}", row.key);
        let what = match (promised, seen) {
            (None, _) => "absent".into(),
            (_, EntryResult::Called(..)) => "called".into(),
            (_, EntryResult::Deferred(_, reason)) => reason.map_or("deferred", Reason::name).into(),
            (_, EntryResult::LeftOut(state, reason, _)) => format!("{state} {}", reason.map_or("", Reason::name)),
            (_, EntryResult::NotDue(_)) => "not due".into(),
        };
        *coverage.entry(what).or_default() += 1;
    }
    assert!(promised.keys().all(|key| seen.contains_key(*key)), "an entry that the ledger does not have");
    rows.into_iter().filter(|row| matches!(seen[&row.key], EntryResult::NotDue(_))).collect()
}

/// Compares what the plan says of entries that were not due with a claim when each is due, provided that nothing has
/// happened since but that the calls of the run were lost track of. An entry whose number or household has another
/// planned call is left out: by then that call counts, or does not.
fn compare_later(plan: &Plan, ran: &Ran, mut later: Vec<EntryRow>, ledger: &mut RandomLedger, coverage: &mut Coverage) {
    let now = ledger.now;
    ledger.lose_track_of(ran.claimed.len());
    let is_shared = |row: &EntryRow| {
        let to_number = plan.calls.iter().filter(|call| call.phone == row.phone && call.key != row.key);
        to_number.into_iter().any(|call| call.earliest > now)
    };
    let due: BTreeSet<_> = later.iter().filter_map(|row| row.due_at).collect();
    later.retain(|row| !is_shared(row) && !ledger.members.contains(&row.key));
    for at in due {
        ledger.now = at;
        let (claimed, deferred) = ledger.claim();
        let ran = Ran { claimed, deferred, listed: ledger.listed() };
        let (seen, promised) = (seen(&ran, &ledger.rows(), at), promised(plan, at));
        for row in later.iter().filter(|row| row.due_at == Some(at)) {
            assert_eq!(promised[&row.key], seen[&row.key], "{:?}, due at {at}", row.key);
            *coverage.entry("later".into()).or_default() += 1;
        }
        ledger.lose_track_of(ran.claimed.len());
    }
}

fn plan_of(ledger: &RandomLedger, snapshot: Option<LedgerSnapshot<'_>>) -> Plan {
    let mut planner = Planner::new(&ledger.campaign, snapshot, ledger.now, false);
    for entry in &ledger.list {
        planner.take(entry.clone()).expect("taken");
    }
    planner.finish(ledger.withdraws).expect("a plan")
}

fn run_seed(seed: u64, coverage: &mut Coverage) {
    let mut ledger = RandomLedger::new(seed);
    for list in 0..LISTS {
        ledger.draw_list();
        let reader = ledger.reader();
        let snapshot = LedgerSnapshot::load(&reader, &ledger.campaign).expect("a snapshot");
        // Before the first list, a plan needs no ledger.
        let plan = plan_of(&ledger, (list > 0 || seed.is_multiple_of(2)).then_some(snapshot));
        drop(reader);
        let ran = ledger.run();
        let later = compare(&plan, &ran, &ledger, coverage);
        if list + 1 == LISTS {
            compare_later(&plan, &ran, later, &mut ledger, coverage);
        } else {
            ledger.go_on();
        }
    }
}

/// `17..40`.
fn range(text: &str) -> Option<Range<u64>> {
    let (from, to) = text.split_once("..")?;
    Some(from.trim().parse().ok()?..to.trim().parse().ok()?)
}

/// Names the seed that broke.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let _ = writeln!(std::io::stderr(), "broken: seed {}", self.0);
        }
    }
}

#[test]
fn what_check_promises_for_each_entry_a_run_at_that_instant_does() {
    let seeds =
        std::env::var("CALLROUNDS_SEEDS").map_or(EVERY_RUN, |text| range(&text).expect("a range such as 0..10000"));
    let (mut coverage, count) = (Coverage::new(), seeds.end.saturating_sub(seeds.start));
    for seed in seeds {
        let broken = Seed(seed);
        run_seed(broken.0, &mut coverage);
    }
    let _ = writeln!(std::io::stderr(), "{count} ledgers with {LISTS} lists each, none broken; covered {coverage:?}");
    let missing: Vec<_> = COVERED.iter().filter(|what| !coverage.contains_key(**what)).collect();
    assert!(count < 100 || missing.is_empty(), "no seed had any {missing:?}");
}
