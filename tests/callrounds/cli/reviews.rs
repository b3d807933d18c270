//! `review`: what was said and only a person can judge, from the command line.

use callrounds::entry::{Classification, Doubt, Outcome, RuleName};
use callrounds::ledger::{LedgerError, LedgerReader, Operator, Reclassification};
use chrono::{DateTime, Utc};

use crate::support::fixtures::{CONSENT, SIMULATOR};
use crate::support::harness::{Practice, recall};
use crate::support::oracle;
use crate::support::vendor::MORNING;

const LIST: &str = "patient_id,first_name,last_name,phone\n1,Quilla,Quartermain,773-555-0110\n2,Bo,Bix,773-555-0111\n";

/// A practice after a run whose first call was left in doubt by a rule.
fn with_a_doubt(rest: &str) -> Practice {
    let rest = format!("{CONSENT}{rest}{SIMULATOR}start = \"{MORNING}\"\nspeed = 600\npeople = \"people.toml\"\n");
    let practice = Practice::with(&recall(&rest), LIST);
    practice.write("campaigns/people.toml", "\"+17735550110\" = [\"declines\"]\n\"+17735550111\" = [\"books\"]\n");
    assert_eq!(practice.run(&["run", "campaigns/recall.toml"]).code, 0);
    practice
}

/// Puts the first call in doubt, as a rule does.
fn doubt(practice: &Practice) {
    let path = practice.path("campaigns/callrounds.db");
    let reader = LedgerReader::open(&path).expect("a ledger");
    let name = reader.campaign_names().expect("names").remove(0);
    let rule = Some(RuleName::new("a summary that sounds like an opt-out"));
    let taken_for =
        Classification { outcome: Outcome::Declined, is_death: false, doubt: Some(Doubt::PossibleOptOut), rule };
    let mut changes = Vec::new();
    let read = reader.each_conversation(&name, |kept| {
        if kept.outcome == Outcome::Declined {
            let (attempt, was, doubt) = (kept.attempt, kept.outcome, kept.doubt);
            changes.push(Reclassification { attempt, was, doubt, taken_for: taken_for.clone() });
        }
        Ok::<_, LedgerError>(())
    });
    read.expect("conversations");
    let now: DateTime<Utc> = "2026-11-30T15:00:00Z".parse().expect("an instant");
    let rules = callrounds::campaign::Redial {
        max_attempts: 1,
        min_gap: chrono::TimeDelta::hours(72),
        after: Vec::new(),
        vary_time: false,
        stop_before_appointment: None,
    };
    let mut operator = Operator::open(&path, now).expect("an operator");
    let applied = operator.reclassify(&changes, &rules, "a test", now).expect("reclassified");
    assert_eq!(applied.held, 1);
}

const SAID: &str = "The patient does not want an appointment at the moment.";

#[test]
fn a_conversation_in_doubt_is_named_shown_and_decided_and_never_called_before() {
    let practice = with_a_doubt("");
    doubt(&practice);
    let calls = oracle::embedded_calls(&practice).len();
    let status = practice.run(&["status"]);
    assert!(
        status
            .stdout
            .contains("1 × possible opt-out:\n                not called until you decide, see `callrounds review`"),
        "{status:?}"
    );
    assert!(!status.stdout.contains(SAID));
    let again = practice.run(&["run", "campaigns/recall.toml", "--at", "2026-12-15T15:30:00Z"]);
    assert_eq!((again.code, oracle::embedded_calls(&practice).len()), (5, calls), "nobody is left to call: {again:?}");
    assert!(again.stderr.contains("callrounds review"), "{again:?}");

    let listed = practice.run(&["review"]);
    for shown in [
        "#1  Quilla Quartermain (1), +17735550110",
        SAID,
        "a summary that sounds like an opt-out",
        "review 1 --opted-out",
    ] {
        assert!(listed.stdout.contains(shown), "{shown}: {listed:?}");
    }
    for target in ["1", "#1", "campaigns/recall.toml", "recall"] {
        assert!(practice.run(&["review", target]).stdout.contains(SAID), "{target}");
    }
    assert!(practice.run(&["review", "2"]).stdout.contains("nothing said in a call waits"));
    let unknown = practice.run(&["review", "recal"]);
    assert!(unknown.code == 2 && unknown.stderr.contains("did you mean recall?"), "{unknown:?}");
    let json: serde_json::Value = serde_json::from_str(&practice.run(&["review", "--json"]).stdout).expect("JSON");
    assert_eq!((&json[0]["doubt"], &json[0]["said"]["summary"]), (&"possible_opt_out".into(), &SAID.into()));
    let removed = practice.run(&["suppress", "remove", "773-555-0110"]);
    assert!(removed.stderr.contains("still not called") && removed.stderr.contains("callrounds review"), "{removed:?}");
    let cancelled = practice.run(&["resolve", "1", "--cancel"]);
    assert!(cancelled.code == 2 && cancelled.stderr.contains("callrounds review 1"), "{cancelled:?}");

    let decided = practice.run(&["review", "1", "--opted-out"]);
    assert_eq!(decided.code, 0, "{decided:?}");
    assert!(decided.stderr.contains("patient #1 is now finished") && !decided.stderr.contains("Quilla"), "{decided:?}");
    assert_eq!(practice.run(&["review", "1", "--opted-out"]).code, 2);
    let explained = practice.run(&["explain", "1"]);
    assert!(explained.stdout.contains("what was said was read by an operator: opted out"), "{explained:?}");
    assert!(explained.stdout.contains(SAID), "it is asked to: {explained:?}");
    assert_eq!(practice.run(&["run", "campaigns/recall.toml", "--at", "2026-12-25T15:30:00Z"]).code, 0);
}

#[test]
fn only_one_decision_at_a_time_about_a_known_patient_is_taken() {
    let practice = with_a_doubt("");
    doubt(&practice);
    for wrong in [
        ["review", "--opted-out"].as_slice(),
        &["review", "1", "--opted-out", "--deceased"],
        &["review", "4711", "--deceased"],
        &["review", "campaigns/recall.toml", "--may-be-called"],
        &["review", "2", "--may-be-called"],
    ] {
        let ended = practice.run(wrong);
        assert_eq!(ended.code, 2, "{wrong:?}: {ended:?}");
    }
    assert_eq!(practice.run(&["review", "1", "--may-be-called"]).code, 0);
    assert!(practice.run(&["review"]).stdout.contains("nothing said in a call waits"));
}

#[test]
fn what_was_said_is_in_no_log_and_gone_when_the_campaign_says_so() {
    let bytes_hold = |practice: &Practice, words: &str| {
        ["campaigns/callrounds.db", "campaigns/callrounds.db-wal"].into_iter().any(|name| {
            let bytes = std::fs::read(practice.path(name)).unwrap_or_default();
            bytes.windows(words.len()).any(|window| window == words.as_bytes())
        })
    };
    for (kept_for, stays) in [("90d", true), ("0s", false)] {
        let rest = format!("[privacy]\nkeep_words_for = \"{kept_for}\"\n");
        let practice = with_a_doubt(&rest);
        assert_eq!(bytes_hold(&practice, SAID), stays, "{kept_for}");
        for command in
            [["status", "-vvv"].as_slice(), &["report"], &["report", "--format", "json"], &["resume", "-vvv"]]
        {
            let ended = practice.run(command);
            assert!(!ended.stdout.contains(SAID) && !ended.stderr.contains(SAID), "{command:?}: {ended:?}");
        }
        assert_eq!(practice.run(&["explain", "1"]).stdout.contains(SAID), stays, "{kept_for}");
        assert_eq!(practice.run(&["ledger", "purge", "--older-than", "1s"]).code, 0);
        assert!(!bytes_hold(&practice, SAID), "{kept_for}");
    }
}

/// A campaign of the practice whose own rule takes an opt-out for a call without an answer, which is called again.
fn blind_campaign(name: &str) -> String {
    let rule = "[[outcomes]]\noutcome = \"no_answer\"\ntags = [\"opt-out\"]\n";
    let redial = "[redial]\nmax_attempts = 2\nafter = [\"no_answer\"]\nmin_gap = \"24h\"\n";
    let vendor = format!("{SIMULATOR}start = \"{MORNING}\"\nspeed = 600\npeople = \"people.toml\"\n");
    recall(&format!("{CONSENT}{redial}{rule}{vendor}")).replace("name = \"recall\"", &format!("name = \"{name}\""))
}

#[test]
fn a_possible_opt_out_is_held_from_the_call_on_until_it_is_lifted_or_made_final() {
    let list = "patient_id,first_name,phone\n1,Ana,773-555-0110\n2,Bo,773-555-0111\n3,Cy,773-555-0112\n";
    let practice = Practice::with(&blind_campaign("recall"), list);
    practice.write("campaigns/other.toml", &blind_campaign("other"));
    practice.write("campaigns/other.csv", list);
    practice.write(
        "campaigns/people.toml",
        "\"+17735550110\" = [\"opts-out\", \"books\"]\n\"+17735550111\" = [\"opts-out\"]\n\
         \"+17735550112\" = [\"books\"]\n",
    );
    let calls_to = |last: u32| {
        let number = format!("+17735550{last}");
        oracle::embedded_calls(&practice).iter().filter(|call| call.to_number == number).count()
    };
    let run = |at: &str| practice.run(&["run", "campaigns/recall.toml", "--json", "--at", at]);

    let ended = run(MORNING);
    assert_eq!((ended.code, [110, 111, 112].map(calls_to)), (5, [1, 1, 1]), "{ended:?}");
    assert_eq!(ended.summary()["to_review"]["possible_opt_out"], 2, "{ended:?}");
    // Neither another run nor another campaign calls them, and each says that a person has to read what was said.
    let later = run("2026-12-01T15:30:00Z");
    let other = practice.run(&["run", "campaigns/other.toml", "--list", "campaigns/other.csv"]);
    assert_eq!((later.code, other.code), (5, 5), "{later:?}, {other:?}");
    assert_eq!([110, 111].map(calls_to), [1, 1], "{later:?}, {other:?}");
    let waiting: serde_json::Value = serde_json::from_str(&practice.run(&["review", "--json"]).stdout).expect("JSON");
    let doubts: Vec<_> = waiting.as_array().expect("a list").iter().map(|row| row["doubt"].clone()).collect();
    assert_eq!(doubts, ["possible_opt_out", "possible_opt_out"]);

    let lifted = practice.run(&["review", "1", "--may-be-called", "--json"]);
    let made_final = practice.run(&["review", "2", "--opted-out"]);
    assert_eq!((lifted.code, made_final.code), (0, 0), "{lifted:?}, {made_final:?}");
    let decision: serde_json::Value = serde_json::from_str(&lifted.stdout).expect("JSON");
    assert_eq!((&decision["decision"], &decision["state"]), (&"may_be_called".into(), &"waiting".into()));
    let suppressed = practice.run(&["suppress", "list"]).stdout;
    assert!(suppressed.contains("+17735550111") && !suppressed.contains("+17735550110"), "{suppressed}");

    let ended = run("2026-12-08T15:30:00Z");
    assert_eq!(
        (ended.code, [110, 111, 112].map(calls_to)),
        (0, [2, 1, 2]),
        "112 was called by both campaigns: {ended:?}"
    );
    assert_eq!(practice.count("SELECT count(*) FROM entry WHERE outcome = 'opt_out'"), 1);
}
