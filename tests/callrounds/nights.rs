//! Thirty nights of the demonstration's recall: patients book, opt out, move, and come back between them. The simulator
//! keeps its own limits and says no to whoever goes over them; it never has to.

use std::collections::BTreeSet;

use chrono::{DateTime, Datelike, TimeDelta, Utc, Weekday};
use serde_json::Value;

use crate::oracle::{self, Call};
use crate::practice::Practice;
use crate::simulation::dice::Dice;
use crate::vendor::{MORNING, Vendor};

const NIGHTS: i64 = 30;

/// How much faster than ours the days pass.
const SPEED: &str = "900";

/// A row of the list that may have something happen to it.
#[derive(Clone)]
struct Row {
    cells: Vec<String>,
    on_the_list: bool,
}

/// The list of one night after the other.
struct Nights {
    header: Vec<String>,
    rows: Vec<Row>,
    dice: Dice,
    moved: u32,
    booked: BTreeSet<String>,
    said_no: u32,
    left: u32,
}

impl Nights {
    fn of(list: &str) -> Self {
        let cells = |line: &str| line.split(',').map(str::to_owned).collect::<Vec<_>>();
        let plain = list.lines().filter(|line| !line.contains('"'));
        let mut rows = plain.map(cells);
        let header = rows.next().expect("a header");
        let width = header.len();
        let rows = rows.filter(|row| row.len() == width).map(|cells| Row { cells, on_the_list: true }).collect();
        let (moved, said_no, left) = (0, 0, 0);
        Self { header, rows, dice: Dice::new(30), moved, booked: BTreeSet::new(), said_no, left }
    }

    fn column(&self, name: &str) -> usize {
        self.header.iter().position(|column| column == name).unwrap_or_else(|| panic!("no column {name}"))
    }

    /// What happened since last night; numbers that opted out by letter.
    fn pass(&mut self, night: i64) -> Vec<String> {
        let (id, phone, due) = (self.column("PatNum"), self.column("WirelessPhone"), self.column("DateScheduled"));
        let mut letters = Vec::new();
        for row in &mut self.rows {
            match self.dice.between(0, 99) {
                0 => {
                    row.cells[due] = "2027-06-01".into();
                    self.booked.insert(row.cells[id].clone());
                }
                1 => {
                    row.cells[phone] = format!("{}-555-01{:02}", 202 + self.moved % 5, 10 + night % 80);
                    self.moved += 1;
                }
                2 if e164(&row.cells[phone]).len() == 12 => {
                    letters.push(row.cells[phone].clone());
                    self.said_no += 1;
                }
                3 | 4 => {
                    row.on_the_list = !row.on_the_list;
                    self.left += 1;
                }
                _ => {}
            }
        }
        letters
    }

    fn text(&self) -> String {
        let rows = self.rows.iter().filter(|row| row.on_the_list).map(|row| row.cells.join(","));
        std::iter::once(self.header.join(",")).chain(rows).map(|line| line + "\n").collect()
    }
}

/// The number of a cell, as the log has it.
fn e164(cell: &str) -> String {
    let digits: String = cell.chars().filter(char::is_ascii_digit).collect();
    format!("+1{}", digits.strip_prefix('1').filter(|rest| rest.len() == 10).unwrap_or(&digits))
}

#[test]
fn thirty_nights_of_recall_go_over_no_cap_and_leave_everybody_explained() {
    let practice = Practice::new();
    let campaign = practice.read("campaigns/demo-recall.toml");
    let (head, _) = campaign.split_once("[vendor]").expect("a vendor");
    // Two processes start their clocks one after the other, and at this speed a moment is minutes, another number of them
    // every night: the least gap is longer than the vendor's by more than clocks of the real world are apart.
    let caps = "[calling.caps]\nmin_gap = \"25h\"\n";
    practice
        .write("campaigns/demo-recall.toml", &format!("{head}{caps}[vendor]\nkind = \"annie\"\nrehearsal = true\n"));
    let mut nights = Nights::of(&practice.read("campaigns/lists/demo-recall.csv"));
    let first = MORNING.parse::<DateTime<Utc>>().expect("an instant") + TimeDelta::hours(1);
    let mut letters: Vec<(String, DateTime<Utc>)> = Vec::new();
    let mut calls = Vec::new();
    for night in 0..NIGHTS {
        let morning = first + TimeDelta::days(night);
        if night > 0 {
            for number in nights.pass(night) {
                let add = ["suppress", "add", &number, "--ledger", "campaigns/callrounds.db", "--source", "by letter"];
                assert_eq!(practice.run(&add).code, 0, "{number}");
                letters.push((e164(&number), morning));
            }
        }
        if matches!(morning.weekday(), Weekday::Sat | Weekday::Sun) {
            continue;
        }
        practice.write("campaigns/lists/demo-recall.csv", &nights.text());
        let vendor = Vendor::start_at(&morning.to_rfc3339(), &practice, SPEED, &[]);
        let run = ["run", "campaigns/demo-recall.toml", "--at", &vendor.time(), "--speed", SPEED];
        let ended = practice.run_against(&vendor.base_url, &run);
        assert!(matches!(ended.code, 0 | 5), "night {night}: {ended:?}");
        calls = vendor.calls();
    }
    nobody_was_called_in_vain(&practice, &calls, &letters);
    everybody_is_explained(&practice, &nights);
    let Nights { moved, booked, said_no, left, .. } = &nights;
    eprintln!(
        "{NIGHTS} nights: {} calls, {} booked elsewhere, {moved} moved, {said_no} opted out by letter, {left} times off or on \
         the list: 0 refusals",
        calls.len(),
        booked.len()
    );
    assert!(calls.len() > 80 && *moved > 5 && *said_no > 5 && booked.len() > 5 && *left > 10, "too little happened");
}

fn nobody_was_called_in_vain(practice: &Practice, calls: &[Call], letters: &[(String, DateTime<Utc>)]) {
    oracle::nobody_is_over_the_caps(calls);
    oracle::the_ledger_agrees(practice, calls);
    let refused = "SELECT count(*) FROM attempt WHERE state = 'refused' OR reason LIKE 'vendor%'";
    assert_eq!(practice.count(refused), 0, "the vendor had to refuse a call");
    for (number, since) in letters {
        let later = calls.iter().filter(|call| call.to_number == *number && call.at >= *since).count();
        assert_eq!(later, 0, "called after an opt-out");
    }
    let decided: BTreeSet<String> = calls_after_a_decision(practice);
    assert!(decided.is_empty(), "called again after a decision: {decided:?}");
}

/// Conversations that began after one of the same patient had come to a decision.
fn calls_after_a_decision(practice: &Practice) -> BTreeSet<String> {
    let ledger = practice.ledger();
    let query = "SELECT later.conversation FROM attempt JOIN attempt AS later ON later.entry_id = attempt.entry_id \
                 WHERE attempt.outcome IN ('booked', 'declined', 'opt_out', 'callback_requested') \
                 AND later.intent_at > attempt.ended_at AND later.conversation IS NOT NULL";
    let mut statement = ledger.prepare(query).expect("a query");
    let found = statement.query_map([], |row| row.get(0)).expect("rows");
    found.map(|conversation| conversation.expect("text")).collect()
}

/// Each patient who was ever on the list has a story that ends in a state with its reason or its outcome.
fn everybody_is_explained(practice: &Practice, nights: &Nights) {
    let unsettled = "SELECT count(*) FROM entry WHERE state IN ('submitting', 'open', 'unknown', 'lost_track') \
                     OR (state = 'waiting' AND reason IS NULL)";
    assert_eq!(practice.count(unsettled), 0);
    let id = nights.column("PatNum");
    for row in nights.rows.iter().filter(|row| !row.cells[id].is_empty()) {
        let ended = practice.run(&["explain", &row.cells[id], "--json"]);
        assert_eq!(ended.code, 0, "{}: {ended:?}", row.cells[id]);
        let known: Value = serde_json::from_str(&ended.stdout).expect("JSON");
        let is_told = known["stories"].as_array().expect("stories").iter().all(|story| {
            let why = ["outcome", "reason", "due_at"].iter().any(|why| !story[why].is_null());
            why && !story["events"].as_array().expect("events").is_empty()
        });
        assert!(is_told, "{known:#}");
    }
}
