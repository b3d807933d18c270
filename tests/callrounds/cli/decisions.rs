//! What only a person can settle: `resolve` shows it before it asks, reads a named conversation from the vendor, and
//! settles many at once only when that is confirmed; `transcript` shows what was said and keeps nothing.

use serde_json::Value;

use crate::support::harness::{Practice, ProgramOutput, recall};
use crate::support::oracle::{self, Call};
use crate::support::remote_run;
use crate::support::vendor::{MORNING, Vendor};

/// A Tuesday in the far future: an operator's decision, which has the wall clock's date, must not be later.
const FAR_MORNING: &str = "2036-11-25T15:30:00Z";

/// The calls of these patients were placed, their answers are lost, and the vendor's list does not show them.
fn held(patients: usize) -> (Practice, Vendor) {
    let practice = Practice::with(&remote_run::campaign("hold"), &remote_run::list(patients));
    let options = ["--requests-per-minute", "600", "--fault", "reset-after=1", "--list-lag", "1000000"];
    let vendor = Vendor::start_at(FAR_MORNING, &practice, "60", &options);
    let time = vendor.time();
    let run = ["run", "campaigns/recall.toml", "--json", "--at", &time, "--speed", "60"];
    let ended = practice.run_against(&vendor.base_url, &run);
    assert_eq!((ended.code, vendor.calls().len()), (5, patients), "{ended:?}");
    (practice, vendor)
}

/// The call to the patient with this entry's number.
fn call_of(vendor: &Vendor, entry: usize) -> Call {
    let number = format!("+177355501{:02}", 9 + entry);
    vendor.calls().into_iter().find(|call| call.to_number == number).expect("a call")
}

fn events(practice: &Practice) -> i64 {
    practice.count("SELECT count(*) FROM event")
}

fn json(ended: &ProgramOutput) -> Value {
    assert_eq!(ended.code, 0, "{ended:?}");
    serde_json::from_str(&ended.stdout).expect("a JSON document")
}

#[test]
fn without_a_decision_resolve_shows_what_to_look_up_and_what_settles_it() {
    let (practice, vendor) = held(2);
    let before = events(&practice);
    let text = practice.run(&["resolve"]);
    assert_eq!(text.code, 0, "{text:?}");
    for words in [
        "2 patients or households need a decision\n",
        "#1 Ana, patient 5000, +17735550110 (recall)\n",
        ": the answer was lost, and the vendor's list does not show the call\n",
        "  held for a person since Tue 2036-11-25 09:",
        "  look up at the vendor: a call from +13125550142 to +17735550110 between Tue 2036-11-25 09:3",
        "    callrounds resolve 1 --placed ID          # it was placed, and ID is its conversation: it is followed",
        "    callrounds resolve 2 --not-placed         # it was not placed: the patient may be called again\n",
        "    callrounds resolve 2 --cancel             # the patient is not called any more\n",
        "looked for on the vendor's list (0 conversations",
    ] {
        assert!(text.stdout.contains(words), "{words}\n{}", text.stdout);
    }
    let one = practice.run(&["resolve", "2"]).stdout;
    assert!(one.contains("#2 Ana") && !one.contains("#1 Ana"), "{one}");

    let found = json(&practice.run(&["resolve", "--json"]));
    let call = call_of(&vendor, 1);
    let first = &found["entries"][0];
    assert_eq!(first["look_up"]["to_number"], call.to_number.as_str());
    assert_eq!(first["reason"], "answer_lost");
    assert_eq!(first["remedies"], serde_json::json!(["placed", "not_placed", "cancel"]));
    assert_eq!(found["entries"].as_array().map(Vec::len), Some(2));
    let of_other = json(&practice.run(&["resolve", "--json", "--reason", "vendor-refused"]));
    assert_eq!(of_other["entries"], serde_json::json!([]));
    assert_eq!(events(&practice), before, "nothing was decided");
}

#[test]
fn a_conversation_named_by_an_operator_is_read_from_the_vendor_and_must_fit() {
    let (practice, vendor) = held(2);
    let before = events(&practice);
    let (own, other) = (call_of(&vendor, 1).conversation_id, call_of(&vendor, 2).conversation_id);
    let resolve = |id: &str| practice.run_against(&vendor.base_url, &["resolve", "1", "--placed", id]);
    for (id, words) in [
        ("c-by-hand", "the vendor has no such conversation; nothing was changed"),
        ("../calls", "the vendor has no such conversation; nothing was changed"),
        (&other, "it is to another number than the one dialled; nothing was changed"),
    ] {
        let refused = resolve(id);
        assert_eq!((refused.code, refused.stderr.contains(words)), (2, true), "{refused:?}");
    }
    let nowhere = practice.run_against("http://127.0.0.1:1/v1", &["resolve", "1", "--placed", &own]);
    assert_eq!(nowhere.code, 4, "{nowhere:?}");
    assert_eq!(practice.run_against(&vendor.base_url, &["resolve", "--all", "--placed", &own]).code, 2);
    assert_eq!(events(&practice), before, "nothing was decided");

    let decided = resolve(&own);
    assert_eq!(decided.code, 0, "{decided:?}");
    assert!(decided.stderr.contains("the ledger's record of the last call of patient #1"), "{decided:?}");
    let is_open = format!("SELECT count(*) FROM attempt WHERE state = 'open' AND conversation = '{own}'");
    assert_eq!(practice.count(&is_open), 1);
    let text = practice.run(&["explain", "5000"]).stdout;
    assert!(text.contains(&format!("placed, says an operator, conversation {own} (decided by ")), "{text}");
    assert_eq!(resolve(&own).code, 2, "it is settled");
    assert_eq!(vendor.calls().len(), 2, "resolve calls nobody");
}

#[test]
fn many_are_settled_at_once_only_if_that_is_confirmed() {
    let (practice, _vendor) = held(3);
    let before = events(&practice);
    let bare = practice.run(&["resolve", "--not-placed"]);
    assert!(bare.code == 2 && bare.stderr.contains("add a patient's number, or --all"), "{bare:?}");
    let preview = practice.run(&["resolve", "--all", "--not-placed"]);
    assert_eq!(preview.code, 2, "{preview:?}");
    assert!(preview.stdout.starts_with("--not-placed settles 3 patients or households; "), "{preview:?}");
    assert!(preview.stderr.contains("not confirmed; nothing was changed"), "{preview:?}");
    let other = practice.run(&["resolve", "--all", "--not-placed", "--yes", "--reason", "vendor_refused"]);
    assert!(other.code == 0 && other.stderr.contains("nothing was changed"), "{other:?}");
    assert_eq!(practice.run(&["resolve", "--all", "--cancel", "--yes", "--campaign", "other"]).code, 2);
    assert_eq!(events(&practice), before, "nothing was decided");

    let some = json(&practice.run(&["resolve", "1", "2", "--cancel", "--yes", "--json"]));
    assert_eq!((&some["applied"], some["settled"].as_array().map(Vec::len)), (&Value::Bool(true), Some(2)));
    let rest = practice.run(&["resolve", "--all", "--not-placed", "--yes"]);
    assert!(rest.code == 0 && rest.stderr.contains("settled 1 patient or household"), "{rest:?}");
    assert_eq!(practice.count("SELECT count(*) FROM entry WHERE state = 'cancelled'"), 2);
    assert_eq!(practice.count("SELECT count(*) FROM entry WHERE state = 'ready'"), 1);
    let none = practice.run(&["resolve"]);
    assert_eq!((none.code, none.stdout.as_str()), (0, "nobody is held, refused by the vendor or lost track of\n"));
}

/// A practice of the embedded simulator whose first patient has spoken.
fn called() -> Practice {
    let rest = format!(
        "[calling]\nconsent = \"on_file\"\n[redial]\nmax_attempts = 1\n[vendor]\nkind = \"simulator\"\n\
         people = \"people.toml\"\nstart = \"{MORNING}\"\n"
    );
    let practice = Practice::with(&recall(&rest), "patient_id,first_name,phone\n1,Ana,773-555-0110\n");
    practice.write("campaigns/people.toml", "\"+17735550110\" = [\"asks-callback\"]\n");
    let ended = practice.run(&["run", "campaigns/recall.toml"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    practice
}

#[test]
fn a_transcript_is_shown_and_not_kept_and_its_reader_is_on_record() {
    let practice = called();
    let said = "Could somebody from the office call me?";
    let text = practice.run(&["transcript", "1"]);
    assert_eq!(text.code, 0, "{text:?}");
    let conversation = oracle::embedded_calls(&practice)[0].conversation_id.clone();
    assert!(text.stdout.starts_with("#1, call 1, Tue 2026-11-24 09:3"), "{text:?}");
    assert!(text.stdout.lines().next().is_some_and(|line| line.ends_with(&conversation)), "{text:?}");
    assert!(text.stdout.contains("  user       ") && text.stdout.contains(said), "{text:?}");
    assert!(!text.stderr.contains(said), "{text:?}");
    let document = json(&practice.run(&["transcript", "#1", "--call", "1", "--json"]));
    assert_eq!(document["conversation_id"], conversation.as_str());
    assert_eq!(document["messages"][1]["text"], said);

    let records = "SELECT count(*) FROM event WHERE kind = 'transcript_read' AND entry_id = 1";
    assert_eq!(practice.count(records), 2);
    let explained = practice.run(&["explain", "1"]).stdout;
    assert!(explained.contains("its transcript was shown (call 1, by "), "{explained}");
    for name in ["campaigns/callrounds.db", "campaigns/callrounds.db-wal"] {
        let bytes = std::fs::read(practice.path(name)).unwrap_or_default();
        assert!(!bytes.windows(said.len()).any(|window| window == said.as_bytes()), "{name} keeps what was said");
    }
    for (arguments, words) in [
        (["transcript", "7"].as_slice(), "the ledger has no patient #7"),
        (&["transcript", "1", "--call", "2"], "patient #1 has no call 2 that became a conversation"),
    ] {
        let refused = practice.run(arguments);
        assert!(refused.code == 2 && refused.stderr.contains(words), "{refused:?}");
    }
    assert_eq!(practice.count(records), 2);
}
