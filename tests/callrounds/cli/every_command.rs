//! What holds for every command: an unknown campaign is refused in the same words, `--json` prints a document, and nothing
//! is decided whose question nobody would see.

use serde_json::Value;

use crate::support::harness::{Practice, ProgramOutput, recall};
use crate::support::vendor::MORNING;

const LIST: &str = "patient_id,first_name,phone\n1,Ana,773-555-0110\n2,Bo,773-555-0111\n3,Cy,773-555-0112\n4,Di,12\n";

/// After a run that placed one call and rejected one row; two patients are left to call.
fn after_a_call() -> Practice {
    let rest = format!(
        "[calling]\nconsent = \"on_file\"\n[redial]\nmax_attempts = 1\n[safety]\nmax_calls = 1\n[vendor]\n\
         kind = \"simulator\"\npeople = \"people.toml\"\nstart = \"{MORNING}\"\nspeed = 600\n"
    );
    let practice = Practice::with(&recall(&rest).replace("[list]\n", "[list]\nmax_reject_rate = 0.5\n"), LIST);
    practice.write("campaigns/people.toml", "\"+17735550110\" = [\"unclassifiable\"]\n");
    let ended = practice.run(&["run", "campaigns/recall.toml"]);
    assert_eq!(ended.code, 4, "{ended:?}");
    practice
}

fn document(ended: &ProgramOutput) -> Value {
    serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {ended:?}"))
}

#[test]
fn a_campaign_that_the_ledger_does_not_have_is_refused_in_the_same_words() {
    let practice = after_a_call();
    let commands: [&[&str]; 9] = [
        &["status", "--campaign", "recal"],
        &["report", "--campaign", "recal"],
        &["report", "--not-called", "--campaign", "recal"],
        &["runs", "--campaign", "recal"],
        &["worklist", "--campaign", "recal"],
        &["writeback", "--campaign", "recal"],
        &["resolve", "--campaign", "recal"],
        &["pause", "--campaign", "recal"],
        &["cancel", "--campaign", "recal", "--yes"],
    ];
    for command in commands {
        for json in [None, Some("--json")] {
            let ended = practice.run(&[command, json.as_slice()].concat());
            let expected = "error: the ledger has no campaign recal; it has recall; did you mean recall?\n";
            assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (2, "", expected), "{command:?}");
        }
    }
    for command in [["review", "recal"], ["outcomes", "recal"]] {
        let ended = practice.run(&command);
        assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{command:?}");
        assert!(ended.stderr.contains("the ledger has no campaign recal; it has recall; did you mean"), "{ended:?}");
    }
    let ended = practice.run(&["worklist", "--location", "North"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{ended:?}");
}

#[test]
fn a_patient_that_the_ledger_does_not_have_is_refused_by_every_command() {
    let practice = after_a_call();
    for command in [
        ["resolve", "99"].as_slice(),
        &["resolve", "99", "--cancel"],
        &["review", "99"],
        &["review", "99", "--opted-out"],
        &["transcript", "99"],
        &["worklist", "done", "99"],
        &["worklist", "undo", "99"],
    ] {
        let ended = practice.run(command);
        assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{command:?}: {ended:?}");
        assert!(ended.stderr.contains("the ledger has no patient #99"), "{command:?}: {ended:?}");
    }
}

#[test]
fn what_changes_something_prints_a_document_with_json() {
    let practice = after_a_call();
    let commands: [(&[&str], &str, Value); 13] = [
        (&["pause"], "/campaign", "recall".into()),
        (&["cancel", "--campaign", "recall", "--yes"], "/applied", true.into()),
        (&["cancel", "--campaign", "recall", "--undo"], "/reinstated/ready", 2.into()),
        (&["suppress", "add", "773-555-0190"], "/suppressed", 1.into()),
        (&["suppress", "remove", "773-555-0190"], "/removed", true.into()),
        (&["suppress", "list"], "", Value::Array(Vec::new())),
        (&["worklist", "done", "1"], "/0/entry", 1.into()),
        (&["worklist", "undo", "1"], "/0/entry", 1.into()),
        (&["writeback", "--format", "notes", "--out", "notes.csv"], "/batch/calls", 1.into()),
        (&["ledger", "verify"], "/sound", true.into()),
        (&["ledger", "backup", "backup.db"], "/file", "backup.db".into()),
        (&["ledger", "purge", "--older-than", "1s"], "/purged", 1.into()),
        (&["ledger", "adopt"], "/unanswered", 0.into()),
    ];
    for (command, pointer, expected) in commands {
        let ended = practice.run(&[command, &["--json"]].concat());
        assert_eq!(ended.code, 0, "{command:?}: {ended:?}");
        assert_eq!(document(&ended).pointer(pointer), Some(&expected), "{command:?}: {ended:?}");
    }
}

#[test]
fn nothing_is_decided_whose_question_nobody_would_see() {
    let practice = after_a_call();
    let known = "[[outcomes]]\noutcome = \"declined\"\nsummary = [\"the\"]\n";
    let campaign = practice.read("campaigns/recall.toml");
    practice.write("campaigns/recall.toml", &format!("{campaign}{known}"));
    let before = practice.count("SELECT count(*) FROM event");
    let commands: [&[&str]; 2] = [&["cancel", "--campaign", "recall"], &["outcomes", "apply", "campaigns/recall.toml"]];
    for command in commands {
        for option in [None, Some("--json"), Some("--quiet")] {
            let ended = practice.run(&[command, option.as_slice()].concat());
            assert_eq!(ended.code, 2, "{command:?} {option:?}: {ended:?}");
            assert!(ended.stderr.contains("not confirmed; nothing was "), "{command:?} {option:?}: {ended:?}");
            assert!(ended.stderr.contains("so add --yes\n"), "{command:?} {option:?}: {ended:?}");
            if option == Some("--json") {
                let shown = document(&ended);
                assert!(matches!(shown["applied"], Value::Bool(false) | Value::Null), "what it would change: {shown}");
            }
        }
    }
    assert_eq!(practice.count("SELECT count(*) FROM event"), before);
}

#[test]
fn the_runs_fit_on_a_terminal_of_80_columns() {
    let practice = after_a_call();
    let text = practice.run(&["runs"]).stdout;
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    assert!(text.contains("stopped, as many calls") && text.contains("1 × unclear\n"), "{text}");
}

#[test]
fn who_was_not_called_has_the_rejected_rows_of_the_runs_own_list_or_says_that_they_are_missing() {
    let practice = after_a_call();
    let not_called = |options: &[&str]| {
        let ended = practice.run(&[&["report", "--not-called"], options].concat());
        assert_eq!(ended.code, 0, "{ended:?}");
        ended
    };
    let first = not_called(&[]);
    assert!(first.stdout.contains("\n5,4,Di,,12,rejected,rejected,phone: too short\n"), "{first:?}");
    assert_eq!(first.stderr, "");
    let rows = document(&not_called(&["--json"]));
    assert_eq!((rows.as_array().map(Vec::len), &rows[2]["patient_id"]), (Some(3), &"4".into()), "{rows}");

    let rejects = practice.read("campaigns/recall.rejects.csv");
    practice.write("campaigns/recall.rejects.csv", &format!("{rejects}6,phone: too short,5,Ed,34\n"));
    let changed = not_called(&[]).stderr;
    assert!(changed.contains("had 1 rejected row, and ") && changed.contains(" has 2"), "{changed}");
    std::fs::remove_file(practice.path("campaigns/recall.rejects.csv")).expect("removed");
    let missing = not_called(&[]).stderr;
    assert!(missing.contains("without the 1 rejected row of the list"), "{missing}");
    // A list without rejected rows leaves no file; what an older one left is not its own.
    practice.write("campaigns/recall.rejects.csv", &rejects);
    practice.write("campaigns/recall.csv", &LIST.replace("4,Di,12\n", ""));
    assert_eq!(practice.run(&["run", "campaigns/recall.toml", "--quiet"]).code, 4);
    practice.write("campaigns/recall.rejects.csv", &rejects);
    let none = not_called(&[]);
    assert!(!none.stdout.contains("rejected") && none.stderr.is_empty(), "{none:?}");
    let earlier = not_called(&["1"]).stderr;
    assert!(earlier.contains("without the 1 rejected row of run 1's list: run 2 has followed"), "{earlier}");
}
