//! Thirty nights of the demonstration recall. Between them patients book, opt out, change their number, and leave or rejoin
//! the list. The simulator enforces the vendor's limits and must never have to refuse a call.

use std::collections::BTreeSet;

use chrono::{DateTime, Datelike, TimeDelta, Utc, Weekday};
use serde_json::Value;

use crate::support::harness::Practice;
use crate::support::oracle::{self, Call};
use crate::support::seeded_rng::SeededRng;
use crate::support::vendor::{MORNING, Vendor};

const NIGHTS: i64 = 30;

/// How much faster than real time the simulated time passes.
const SPEED: &str = "900";

#[derive(Clone)]
struct Row {
    cells: Vec<String>,
    on_the_list: bool,
}

/// The list, which changes from night to night, and counts of its changes.
struct NightlyList {
    header: Vec<String>,
    rows: Vec<Row>,
    rng: SeededRng,
    moved: u32,
    booked: BTreeSet<String>,
    opted_out: u32,
    left: u32,
}

impl NightlyList {
    fn new(list: &str) -> Self {
        let cells = |line: &str| line.split(',').map(str::to_owned).collect::<Vec<_>>();
        let plain = list.lines().filter(|line| !line.contains('"'));
        let mut rows = plain.map(cells);
        let header = rows.next().expect("a header");
        let width = header.len();
        let rows = rows.filter(|row| row.len() == width).map(|cells| Row { cells, on_the_list: true }).collect();
        let (moved, opted_out, left) = (0, 0, 0);
        Self { header, rows, rng: SeededRng::new(30), moved, booked: BTreeSet::new(), opted_out, left }
    }

    fn column(&self, name: &str) -> usize {
        self.header.iter().position(|column| column == name).unwrap_or_else(|| panic!("no column {name}"))
    }

    /// Changes the list since last night; returns the numbers that have opted out by letter.
    fn next_night(&mut self, night: i64) -> Vec<String> {
        let (id, phone, due) = (self.column("PatNum"), self.column("WirelessPhone"), self.column("DateScheduled"));
        let mut opt_outs = Vec::new();
        for row in &mut self.rows {
            match self.rng.between(0, 99) {
                0 => {
                    row.cells[due] = "2027-06-01".into();
                    self.booked.insert(row.cells[id].clone());
                }
                1 => {
                    row.cells[phone] = format!("{}-555-01{:02}", 202 + self.moved % 5, 10 + night % 80);
                    self.moved += 1;
                }
                2 if e164(&row.cells[phone]).len() == 12 => {
                    opt_outs.push(row.cells[phone].clone());
                    self.opted_out += 1;
                }
                3 | 4 => {
                    row.on_the_list = !row.on_the_list;
                    self.left += 1;
                }
                _ => {}
            }
        }
        opt_outs
    }

    fn text(&self) -> String {
        let rows = self.rows.iter().filter(|row| row.on_the_list).map(|row| row.cells.join(","));
        std::iter::once(self.header.join(",")).chain(rows).map(|line| line + "\n").collect()
    }
}

/// The number in a cell in E.164, as in the log.
fn e164(cell: &str) -> String {
    let digits: String = cell.chars().filter(char::is_ascii_digit).collect();
    format!("+1{}", digits.strip_prefix('1').filter(|rest| rest.len() == 10).unwrap_or(&digits))
}

#[test]
fn thirty_nights_of_recall_go_over_no_cap_and_leave_everybody_explained() {
    let practice = Practice::new();
    let campaign = practice.read("campaigns/demo-recall.toml");
    let (head, _) = campaign.split_once("[vendor]").expect("a vendor");
    // The two processes start their clocks one after the other, and at this speed their clocks differ by some minutes, each
    // night another number: the minimum gap is longer than the vendor's by more than that.
    let caps = "[calling.caps]\nmin_gap = \"25h\"\n";
    practice
        .write("campaigns/demo-recall.toml", &format!("{head}{caps}[vendor]\nkind = \"annie\"\nrehearsal = true\n"));
    let mut list = NightlyList::new(&practice.read("campaigns/lists/demo-recall.csv"));
    let first = MORNING.parse::<DateTime<Utc>>().expect("an instant") + TimeDelta::hours(1);
    let mut opt_outs: Vec<(String, DateTime<Utc>)> = Vec::new();
    let mut calls = Vec::new();
    for night in 0..NIGHTS {
        let morning = first + TimeDelta::days(night);
        if night > 0 {
            for number in list.next_night(night) {
                let add = ["suppress", "add", &number, "--ledger", "campaigns/callrounds.db", "--source", "by letter"];
                assert_eq!(practice.run(&add).code, 0, "{number}");
                opt_outs.push((e164(&number), morning));
            }
        }
        if matches!(morning.weekday(), Weekday::Sat | Weekday::Sun) {
            continue;
        }
        practice.write("campaigns/lists/demo-recall.csv", &list.text());
        let vendor = Vendor::start_at(&morning.to_rfc3339(), &practice, SPEED, &[]);
        let run = ["run", "campaigns/demo-recall.toml", "--at", &vendor.time(), "--speed", SPEED];
        let ended = practice.run_against(&vendor.base_url, &run);
        assert!(matches!(ended.code, 0 | 5), "night {night}: {ended:?}");
        calls = vendor.calls();
    }
    check_calls(&practice, &calls, &opt_outs);
    check_every_patient_is_explained(&practice, &list);
    let NightlyList { moved, booked, opted_out, left, .. } = &list;
    eprintln!(
        "{NIGHTS} nights: {} calls, {} booked elsewhere, {moved} moved, {opted_out} opted out by letter, {left} times off or on \
         the list: 0 refusals",
        calls.len(),
        booked.len()
    );
    assert!(
        calls.len() > 80 && *moved > 5 && *opted_out > 5 && booked.len() > 5 && *left > 10,
        "too few changes were drawn"
    );
}

fn check_calls(practice: &Practice, calls: &[Call], opt_outs: &[(String, DateTime<Utc>)]) {
    oracle::nobody_is_over_the_caps(calls);
    oracle::the_ledger_agrees(practice, calls);
    let refused = "SELECT count(*) FROM attempt WHERE state = 'refused' OR reason LIKE 'vendor%'";
    assert_eq!(practice.count(refused), 0, "the vendor had to refuse a call");
    for (number, since) in opt_outs {
        let later = calls.iter().filter(|call| call.to_number == *number && call.at >= *since).count();
        assert_eq!(later, 0, "called after an opt-out");
    }
    let decided: BTreeSet<String> = calls_after_a_decision(practice);
    assert!(decided.is_empty(), "called again after a decision: {decided:?}");
}

/// Conversations that began after an earlier one of the same entry had a final outcome.
fn calls_after_a_decision(practice: &Practice) -> BTreeSet<String> {
    let ledger = practice.ledger();
    let query = "SELECT later.conversation FROM attempt JOIN attempt AS later ON later.entry_id = attempt.entry_id \
                 WHERE attempt.outcome IN ('booked', 'declined', 'opt_out', 'callback_requested') \
                 AND later.intent_at > attempt.ended_at AND later.conversation IS NOT NULL";
    let mut statement = ledger.prepare(query).expect("a query");
    let found = statement.query_map([], |row| row.get(0)).expect("rows");
    found.map(|conversation| conversation.expect("text")).collect()
}

/// Checks that each patient who was ever on the list has a timeline with events and a reason, an outcome or a due time.
fn check_every_patient_is_explained(practice: &Practice, list: &NightlyList) {
    let unsettled = "SELECT count(*) FROM entry WHERE state IN ('submitting', 'open', 'unknown', 'lost_track') \
                     OR (state = 'waiting' AND reason IS NULL)";
    assert_eq!(practice.count(unsettled), 0);
    let id = list.column("PatNum");
    for row in list.rows.iter().filter(|row| !row.cells[id].is_empty()) {
        let ended = practice.run(&["explain", &row.cells[id], "--json"]);
        assert_eq!(ended.code, 0, "{}: {ended:?}", row.cells[id]);
        let explained: Value = serde_json::from_str(&ended.stdout).expect("JSON");
        let is_explained = explained["stories"].as_array().expect("stories").iter().all(|timeline| {
            let why = ["outcome", "reason", "due_at"].iter().any(|why| !timeline[why].is_null());
            why && !timeline["events"].as_array().expect("events").is_empty()
        });
        assert!(is_explained, "{explained:#}");
    }
}
