//! `check` on a Friday at 19:40 with 500 patients: who is called tonight, who on Monday, and why; then a run, which must do
//! the same.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::support::harness::{Practice, recall};
use crate::support::oracle;

/// Friday, 19:40 in Chicago and 20:40 in New York.
const EVENING: &str = "2026-11-21T01:40:00Z";
const CLOSES: &str = "2026-11-21T02:00:00Z";

/// What its campaign adds to [`recall`].
const CAMPAIGN_REST: &str = r#"[calling]
consent = "on_file"
window = "09:00-20:00"
[redial]
max_attempts = 1
[vendor]
kind = "simulator"
speed = 600
"#;

/// 400 patients in Chicago and 100 in New York; three of them have an appointment.
fn list() -> String {
    let mut list = "patient_id,first_name,phone,next_appointment\n".to_owned();
    let mut id = 0;
    for area in ["773", "708", "630", "847", "212"] {
        for line in 100..200 {
            id += 1;
            let booked = if [50, 150, 450].contains(&id) { "2027-01-15" } else { "" };
            writeln!(list, "{id},Pat,{area}-555-0{line},{booked}").expect("a string");
        }
    }
    list
}

/// Two hours ago another campaign called the first twenty patients; five numbers are suppressed.
fn practice() -> Practice {
    let practice = Practice::with(&recall(CAMPAIGN_REST), &list());
    let ledger = ["--ledger", "campaigns/callrounds.db"];
    practice.write(
        "campaigns/other.toml",
        &recall(CAMPAIGN_REST).replace("name = \"recall\"", "name = \"other\"").replace("speed", "seed = 2\nspeed"),
    );
    practice.write("other.csv", &list().lines().take(21).collect::<Vec<_>>().join("\n"));
    let earlier = ["run", "campaigns/other.toml", "--list", "other.csv", "--at", "2026-11-20T23:30:00Z", "--quiet"];
    assert_eq!(practice.run(&earlier).code, 0);
    let opted_out = practice.count("SELECT count(*) FROM suppression");
    for line in 110..115 - opted_out {
        let number = format!("+17085550{line}");
        assert_eq!(practice.run(&[&["suppress", "add", &number], ledger.as_slice()].concat()).code, 0);
    }
    practice
}

fn calls_by_rule(because: &Value) -> BTreeMap<String, u64> {
    let because = because.as_array().expect("a list").iter();
    because
        .map(|one| (one["why"].as_str().expect("a rule").to_owned(), one["calls"].as_u64().expect("a count")))
        .collect()
}

#[test]
fn on_a_friday_evening_check_says_who_is_called_tonight_who_on_monday_and_why() {
    let practice = practice();
    let ended = practice.run(&["check", "campaigns/recall.toml", "--at", EVENING, "--json"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let found: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    let days = found["days"].as_array().expect("days");
    let dates: Vec<_> = days.iter().map(|day| day["date"].as_str().expect("a date")).collect();
    assert_eq!(dates, ["2026-11-20", "2026-11-23"]);
    let (tonight, monday) = (calls_by_rule(&days[0]["because"]), calls_by_rule(&days[1]["because"]));
    assert_eq!(tonight.keys().collect::<Vec<_>>(), ["now"]);
    assert!((120..200).contains(&tonight["now"]), "{tonight:?}");
    // Called two hours ago, outside the window in New York, and no time left tonight.
    assert_eq!(monday.keys().collect::<Vec<_>>(), ["daily_cap", "no_turn", "window"]);
    let refused = found["not_called_entries"].as_array().expect("entries").len() as u64;
    assert_eq!((monday["window"], refused), (99, 8));
    assert_eq!(tonight["now"] + monday.values().sum::<u64>() + refused, 500);

    let text = practice.run(&["check", "campaigns/recall.toml", "--at", EVENING]).stdout;
    for expected in [
        format!("tonight, Fri 2026-11-20, 19:40 to 19:58: {}\n", tonight["now"]),
        format!("{} × nothing stands in the way: lines 22-", tonight["now"]),
        "Mon 2026-11-23, 09:00 to ".to_owned(),
        "99 × outside the dialing hours: lines 402-450, 452-501\n".to_owned(),
        format!("{} × the window closes before their turn comes: lines ", monday["no_turn"]),
        format!("{} × this number was called less than 24 hours ago: lines 2-", monday["daily_cap"]),
        "not called: 3 × has a future appointment already (lines ".to_owned(),
        "not called: 5 × on the suppression list (lines ".to_owned(),
    ] {
        assert!(text.contains(&expected), "{expected}\n{text}");
    }
    let fine_print = practice.run(&["check", "campaigns/recall.toml", "--at", EVENING, "-v"]).stdout;
    for expected in
        ["vendor-safe: the vendor's 9-20 in every zone that may apply; reviewed 2026-11", "not legal advice: "]
    {
        assert!(fine_print.contains(expected) && !text.contains(expected), "{expected}");
    }

    // The run does the same.
    let ended = practice.run(&["run", "campaigns/recall.toml", "--at", EVENING, "--quiet"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let closes: DateTime<Utc> = CLOSES.parse().expect("an instant");
    let (started, mut called) = (EVENING.parse::<DateTime<Utc>>().expect("an instant"), BTreeSet::new());
    for call in oracle::embedded_calls(&practice).into_iter().filter(|call| (started..closes).contains(&call.at)) {
        called.insert(call.patient_id.expect("an id"));
    }
    let forecast: BTreeSet<String> = found["calls"]
        .as_array()
        .expect("calls")
        .iter()
        .filter(|call| call["expected"].as_str().is_some_and(|at| at < CLOSES))
        .map(|call| call["key"][0].as_str().expect("a key").to_owned())
        .collect();
    // At this speed the program's own processing takes simulated minutes, so some calls move to Monday; nobody else is called.
    let unexpected = called.difference(&forecast).count();
    assert!(
        !called.is_empty() && unexpected == 0,
        "{unexpected}: {} forecast, {} called",
        forecast.len(),
        called.len()
    );
    assert_eq!(oracle::embedded_calls(&practice).len(), 20 + 492 - called_already(&practice));
}

/// Entries that were suppressed by opt-outs in the other campaign's calls.
fn called_already(practice: &Practice) -> usize {
    let count = practice
        .count("SELECT count(*) FROM entry WHERE campaign_id = 2 AND state = 'suppressed' AND reason = 'suppressed'");
    usize::try_from(count).expect("a count") - 5
}
