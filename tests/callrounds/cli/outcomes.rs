//! `outcomes`: what the conversations carry, rules for what no rule matches, and applying them to what is kept.

use crate::support::fixtures::{CONSENT, SIMULATOR};
use crate::support::harness::{Practice, recall};
use crate::support::vendor::{MORNING, Vendor};

/// Rules that know only bookings: what else the simulator says is unclear.
const RULES: &str = "[[outcomes]]\noutcome = \"booked\"\ntags = [\"appointment-booked\"]\n";

const LIST: &str = "patient_id,first_name,phone\n1,Ana,773-555-0110\n2,Bo,773-555-0111\n3,Cy,773-555-0112\n";

/// What the three patients do.
const PEOPLE: &str = "\"+17735550110\" = [\"books\"]\n\"+17735550111\" = [\"no-answer\", \"books\"]\n\
                      \"+17735550112\" = [\"opts-out\"]\n";

fn campaign(rules: &str) -> String {
    let rest = format!("{CONSENT}{SIMULATOR}start = \"{MORNING}\"\nspeed = 600\npeople = \"people.toml\"\n{rules}");
    recall(&rest).replacen("name", "replace_default_outcomes = true\nname", 1)
}

/// A practice after a run that understood only the booking.
fn after_a_run() -> Practice {
    let practice = Practice::with(&campaign(RULES), LIST);
    practice.write("campaigns/people.toml", PEOPLE);
    let ended = practice.run(&["run", "campaigns/recall.toml"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.stderr.contains("67 % of conversations match no rule (2 of 3)"), "{ended:?}");
    assert!(ended.stderr.contains("--suggest` proposes rules"), "{ended:?}");
    practice
}

#[test]
fn what_no_rule_matches_is_loud_shown_and_suggested_without_what_patients_said() {
    let practice = after_a_run();
    for command in [["status"].as_slice(), &["report"]] {
        assert!(practice.run(command).stdout.contains("67 % of conversations match no rule"), "{command:?}");
    }
    let shown = practice.run(&["outcomes", "campaigns/recall.toml"]);
    assert_eq!(shown.code, 0, "{shown:?}");
    for line in [
        "3 conversations; 2 of them (67 %) are unclear",
        "1 × appointment-booked: booked (outcome rule 1)",
        "1 × opt-out: no rule matches",
        "3 topics: --show-words shows them",
    ] {
        assert!(shown.stdout.contains(line), "{line}: {shown:?}");
    }
    let suggested = practice.run(&["outcomes", "--suggest"]);
    assert!(
        suggested.stdout.contains("# [[outcomes]]\n# outcome = \"unclassified\"\n# tags = [\"no-answer\"]"),
        "{suggested:?}"
    );
    let with_words = practice.run(&["outcomes", "--show-words"]);
    let said = "The person asked not to be called again.";
    assert!(with_words.stdout.contains(said), "{with_words:?}");
    for options in [["--json"].as_slice(), &["--suggest"], &["-vv"]] {
        let ended = practice.run(&[["outcomes"].as_slice(), options].concat());
        assert_eq!(ended.code, 0, "{ended:?}");
        for output in [&ended.stdout, &ended.stderr] {
            assert!(!output.contains(said) && !output.contains("Remove the number"), "{ended:?}");
        }
    }
}

#[test]
fn newer_rules_are_applied_to_what_is_kept_after_the_difference_was_shown() {
    let practice = after_a_run();
    let more = "[[outcomes]]\noutcome = \"no_answer\"\ntags = [\"no-answer\"]\n\
                [[outcomes]]\noutcome = \"opt_out\"\ntags = [\"opt-out\"]\n";
    practice.write("campaigns/recall.toml", &campaign(&format!("{RULES}{more}")));
    let apply = ["outcomes", "apply", "campaigns/recall.toml"];
    let asked = practice.run(&apply);
    assert_eq!(asked.code, 2, "{asked:?}");
    assert!(
        asked.stdout.contains("unclear becomes opted out (outcome rule 3): the number is suppressed for good"),
        "{asked:?}"
    );
    assert!(asked.stderr.contains("add --yes"), "{asked:?}");
    assert_eq!(practice.count("SELECT count(*) FROM suppression"), 0);

    let applied = practice.run(&[apply.as_slice(), &["--yes"]].concat());
    assert_eq!(applied.code, 0, "{applied:?}");
    assert!(applied.stderr.contains("1 to call again when the rules allow it"), "{applied:?}");
    assert_eq!(practice.count("SELECT count(*) FROM suppression"), 1);
    assert_eq!(practice.count("SELECT count(*) FROM event WHERE kind = 'reclassified'"), 2);
    let explained = practice.run(&["explain", "2"]);
    assert!(
        explained.stdout.contains("newer outcome rules: no answer (no answer instead of unclear; outcome rule 2"),
        "{explained:?}"
    );

    let again = practice.run(&[apply.as_slice(), &["--yes", "--json"]].concat());
    assert!(again.stdout.contains("\"changes\": []"), "{again:?}");
    let ended = practice.run(&["run", "campaigns/recall.toml"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(practice.count("SELECT count(*) FROM attempt WHERE to_number = '+17735550111'"), 2);
    assert_eq!(practice.count("SELECT count(*) FROM attempt WHERE to_number = '+17735550112'"), 1);
}

#[test]
fn the_vendors_list_shows_what_a_bot_says_before_the_first_campaign() {
    let practice = after_a_run();
    let rehearsal = campaign(RULES).replace("kind = \"simulator\"", "rehearsal = true");
    let is_live = |line: &&str| !["start", "speed", "people"].iter().any(|key| line.starts_with(key));
    let rehearsal = rehearsal.lines().filter(is_live).collect::<Vec<_>>().join("\n");
    practice.write("campaigns/live.toml", &rehearsal.replace("name = \"recall\"", "name = \"live\""));
    let people = practice.path("campaigns/people.toml").display().to_string();
    for (order, at) in [("newest-first", MORNING), ("oldest-first", "2026-11-25T15:30:00Z")] {
        let options = ["--people", &people, "--list-order", order];
        let vendor = Vendor::start_at(at, &practice, "60", &options);
        // The second vendor has the calls that the first one placed.
        if order == "newest-first" {
            let now = vendor.time();
            let run = ["run", "campaigns/live.toml", "--ledger", "live.db", "--at", &now, "--speed", "60"];
            let ran = practice.run_against(&vendor.base_url, &run);
            assert!(ran.stderr.contains("3 placed by this run"), "{ran:?}");
        }
        let read = practice.run_against(&vendor.base_url, &["outcomes", "campaigns/live.toml", "--from-vendor"]);
        assert_eq!(read.code, 0, "{read:?}");
        assert!(read.stderr.contains("takes at most 3 of the 60 requests a minute"), "{read:?}");
        assert!(read.stdout.contains("1 × opt-out: no rule matches"), "{read:?}");
        assert!(!practice.path("campaigns/live.db").exists());
    }
    let embedded = practice.run(&["outcomes", "campaigns/recall.toml", "--from-vendor"]);
    assert_eq!(embedded.code, 2, "{embedded:?}");
}
