//! Patients' data appears only where it is asked for: strings planted in every cell of a list appear in no log, error, event,
//! progress line or file name.

use std::fmt::Write;
use std::path::Path;

use crate::support::harness::{Practice, ProgramOutput, recall};
use crate::support::oracle;
use crate::support::vendor::{MORNING, Vendor};

/// Planted in every free-text cell.
const CANARY: &str = "Zyxwv";

/// What its campaign adds to [`recall`].
const CAMPAIGN_REST: &str = r#"max_reject_rate = 1
[message]
context = "{{ first_name }} is due; prefers {{ notes | default('any time') }}."
voicemail = "Annie from {{ practice.name }} for {{ first_name }}: {{ practice.callback_number | spoken }}."
[calling]
consent = "on_file"
[redial]
max_attempts = 1
[safety]
settle = "60s"
[vendor]
"#;

/// What must not appear, in lower case: the canary, and the digits of every number and date of birth of [`list`].
struct Secrets(Vec<String>);

/// A list with a canary in every cell: valid rows first, then one row for each kind of rejection.
fn list() -> (String, Secrets) {
    let mut secrets = vec![CANARY.to_lowercase()];
    let mut text = "patient_id,first_name,last_name,dob,phone,notes,status,state,provider,weight\n".to_owned();
    let mut row = |id: usize, first: &str, dob: &str, phone: &str, rest: &str| {
        writeln!(text, "{CANARY}-{id},{first},{CANARY}son,{dob},{phone},{CANARY} notes,{rest}").expect("a string");
    };
    for id in 10..30 {
        let dob = format!("19{}-03-{}", 40 + id, id);
        row(id, &format!("{CANARY}na"), &dob, &format!("773-555-01{id}"), &format!("Patient,IL,Dr. {CANARY},{CANARY}"));
        secrets.extend([format!("55501{id}"), format!("555-01{id}"), dob]);
    }
    let good = format!("Patient,IL,Dr. {CANARY},{CANARY}");
    row(40, "", "1991-04-01", "773-555-0140", &good);
    row(41, CANARY, "1991-04-31", "773-555-0141", &good);
    row(42, CANARY, "1991-04-02", "773-555-01", &good);
    row(43, CANARY, "1991-04-03", CANARY, &good);
    row(44, CANARY, "1991-04-04", "773-555-0144", &format!("{CANARY},{CANARY},{CANARY},{CANARY},{CANARY}"));
    row(45, CANARY, "1991-04-05", "773-555-0145 x12", &good);
    row(46, CANARY, "1991-04-06", "999-555-0146", &good);
    row(47, &CANARY.repeat(120), "1991-04-07", "773-555-0147", &good);
    row(10, &format!("{CANARY}other"), "1991-04-08", "773-555-0148", &good);
    row(49, CANARY, CANARY, "773-555-0149", &good);
    secrets.extend((40..50).flat_map(|id| [format!("55501{id}"), format!("555-01{id}")]));
    secrets.extend(["1991-04", "773-555-01,"].map(str::to_owned));
    (text, Secrets(secrets))
}

impl Secrets {
    fn are_absent_from_text(&self, what: &str, text: &str) {
        // The path of the test's directory may contain such digits.
        let text = text.replace(&std::env::temp_dir().display().to_string(), "").to_lowercase();
        for secret in &self.0 {
            let line = text.lines().find(|line| line.contains(secret));
            assert_eq!(line, None, "{what}: {secret} appears");
        }
    }

    fn are_absent_from(&self, what: &str, ended: &ProgramOutput) {
        self.are_absent_from_text(&format!("{what}, standard output"), &ended.stdout);
        self.are_absent_from_text(&format!("{what}, standard error"), &ended.stderr);
    }

    fn are_absent_from_file_names(&self, folder: &Path) {
        for file in std::fs::read_dir(folder).expect("a directory").map(|file| file.expect("a file")) {
            self.are_absent_from_text("a file's name", &file.file_name().to_string_lossy());
        }
    }
}

fn simulated() -> String {
    format!("{}kind = \"simulator\"\nstart = \"{MORNING}\"\nspeed = 600\n", recall(CAMPAIGN_REST))
}

#[test]
fn a_run_tells_nothing_of_its_patients() {
    let (list, secrets) = list();
    for options in [["-vv"].as_slice(), &["-vv", "--json"], &["-vvv"]] {
        let practice = Practice::with(&simulated(), &list);
        let run = [["run", "campaigns/recall.toml"].as_slice(), options].concat();
        for round in ["the first run", "the run after it"] {
            let ended = practice.run(&run);
            // One area code does not exist, one number has an extension: an operator must settle both.
            assert_eq!(ended.code, 5, "{ended:?}");
            secrets.are_absent_from(round, &ended);
        }
        for command in ["status", "resume"] {
            let ended = practice.run(&[&[command], options].concat());
            assert!([0, 5].contains(&ended.code), "{ended:?}");
            secrets.are_absent_from(command, &ended);
        }
        secrets.are_absent_from_file_names(&practice.path("campaigns"));
        // The list was read, and a report contains the data.
        assert!(practice.run(&["report"]).stdout.contains(CANARY));
        assert!(practice.read("campaigns/recall.rejects.csv").contains(CANARY));
    }
}

#[test]
fn a_run_with_faults_tells_nothing_either() {
    let (list, secrets) = list();
    let practice = Practice::with(&format!("{}kind = \"annie\"\nrehearsal = true\n", recall(CAMPAIGN_REST)), &list);
    let faults =
        ["500-after=0.2", "truncated=0.2", "bad-json=0.2", "429=0.1", "500-before@reads=0.2", "bad-json@reads=0.1"];
    let options: Vec<_> = faults.iter().flat_map(|fault| ["--fault", fault]).collect();
    let vendor = Vendor::start(&practice, "60", &options);
    let run = ["run", "campaigns/recall.toml", "-vv", "--at", MORNING, "--speed", "60"];
    let ended = practice.run_against(&vendor.base_url, &run);
    assert!(ended.stderr.contains("answer lost"), "no fault was seen: {ended:?}");
    secrets.are_absent_from("a run with faults", &ended);
}

#[test]
fn refusals_tell_nothing_of_the_rows_that_they_are_about() {
    let (list, secrets) = list();
    let header_only_canaries = list.replacen("first_name", "given", 1).replacen("phone", "ring", 1);
    let cases = [
        // (replacement in the campaign, list, exit code)
        (("max_reject_rate = 1", "max_reject_rate = 0"), list.as_str(), 3),
        (("first_name }} is due", "frist_name }} is due"), &list, 3),
        (("first_name }} is due", "first_name | date('%B') }} is due"), &list, 3),
        (("first_name }} is due", "weight + 1 }} is due"), &list, 3),
        (("first_name }} is due", "notes | plural('a', 'b') }} is due"), &list, 3),
        (("x", "x"), &header_only_canaries, 3),
        (("x", "x"), &format!("{list}\"{CANARY}"), 3),
    ];
    for ((from, to), list, code) in cases {
        let campaign = simulated().replace(from, to).replace("max_reject_rate = 1\n", "max_reject_rate = 0.2\n");
        let practice = Practice::with(&campaign, list);
        for command in ["run", "check"] {
            for options in [["-vv"].as_slice(), &["-vv", "--json"]] {
                let ended = practice.run(&[[command, "campaigns/recall.toml"].as_slice(), options].concat());
                assert!([code, 2].contains(&ended.code), "{command} with {to}: {ended:?}");
                secrets.are_absent_from(&format!("{command} with {to}"), &ended);
            }
        }
    }
}

#[test]
fn check_names_bad_rows_by_their_line_only() {
    let (list, secrets) = list();
    let practice = Practice::with(&simulated(), &list);
    let ended = practice.run(&["check", "campaigns/recall.toml", "-vv"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    // The samples are meant to show data, and come last.
    let (before, samples) = ended.stdout.split_once("\nsample, line").expect("samples");
    assert!(samples.contains(CANARY));
    assert!(before.contains("line 22: first_name: missing"), "{before}");
    secrets.are_absent_from_text("check", before);
    secrets.are_absent_from_text("check", &ended.stderr);
}

/// Whether the ledger or its write-ahead log contains these bytes.
fn holds(practice: &Practice, word: &str) -> bool {
    ["campaigns/callrounds.db", "campaigns/callrounds.db-wal"].into_iter().any(|name| {
        let bytes = std::fs::read(practice.path(name)).unwrap_or_default();
        bytes.windows(word.len()).any(|window| window == word.as_bytes())
    })
}

#[test]
fn a_purged_ledger_has_forgotten_what_lists_changed() {
    let rest = format!(
        "[message]\ncontext = \"{{{{ first_name }}}}.\"\n[calling]\nconsent = \"on_file\"\n[vendor]\nkind = \"simulator\"\n\
         start = \"{MORNING}\"\n"
    );
    // Texts that grow make SQLite move rows to other pages, which keep what was there.
    let list = |surname: &str| {
        let row = |n: u32| format!("{n},Quilla{n},{surname},312-555-01{:02},yes\n", n % 100);
        let head = "patient_id,first_name,last_name,phone,do_not_call\n";
        std::iter::once(head.to_owned()).chain((1..=3_000).map(row)).collect::<String>()
    };
    let practice = Practice::with(&recall(&rest), &list("Quartermain"));
    let run = ["run", "campaigns/recall.toml"];
    assert_eq!(practice.run(&run).code, 0);
    practice.write("campaigns/recall.csv", &list("Quartermain-Featherstonehaugh-Cholmondeley"));
    assert_eq!(practice.run(&run).code, 0);
    assert!(holds(&practice, "Quilla") && holds(&practice, "Cholmondeley"));
    assert_eq!(practice.run(&["ledger", "purge", "--older-than", "1s"]).code, 0);
    for word in ["Quilla", "Quartermain", "Cholmondeley"] {
        assert!(!holds(&practice, word), "{word}");
    }
}

#[test]
fn a_purged_ledger_has_forgotten_who_was_called_and_calls_nobody_again() {
    let rest = format!(
        "[message]\ncontext = \"{{{{ first_name }}}}.\"\n[calling]\nconsent = \"on_file\"\n[redial]\n\
         max_attempts = 1\n[vendor]\nkind = \"simulator\"\nstart = \"{MORNING}\"\n"
    );
    let list = "patient_id,first_name,last_name,date_of_birth,phone,family_id\n\
                1,Quilla,Quartermain,1950-01-02,773-555-0110,9\n2,Quentin,Quartermain,1951-01-02,773-555-0110,9\n\
                3,Zenobia,Zipf,1952-01-02,773-555-0111 / 773-555-0119,\n";
    let practice = Practice::with(&recall(&rest), list);
    let run = ["run", "campaigns/recall.toml"];
    assert_eq!(practice.run(&run).code, 0);
    let words = ["Quilla", "Quentin", "Quartermain", "Zenobia", "1950-01-02", "7735550119"];
    for word in words {
        assert!(holds(&practice, word), "{word}");
    }
    let early = practice.run(&["ledger", "purge", "--older-than", "3650d"]);
    assert!(early.stderr.contains("of 0 patients or households from the ledger"), "{early:?}");
    assert!(holds(&practice, "Quilla"));

    let purged = practice.run(&["ledger", "purge", "--older-than", "1s"]);
    assert_eq!(purged.code, 0, "{purged:?}");
    assert!(purged.stderr.contains("of 2 patients or households from the ledger"), "{purged:?}");
    for word in words {
        assert!(!holds(&practice, word), "{word}");
    }
    assert!(holds(&practice, "7735550110"), "the number that was called keeps its caps");
    let explained = practice.run(&["explain", "1"]);
    assert!(explained.stdout.contains("finished") && explained.stdout.contains("1 call"), "{explained:?}");
    assert_eq!(practice.run(&["ledger", "verify"]).code, 0);
    assert_eq!(practice.run(&["report", "--format", "json"]).code, 0);

    let calls = oracle::embedded_calls(&practice).len();
    let again = practice.run(&run);
    assert_eq!((again.code, oracle::embedded_calls(&practice).len()), (0, calls), "{again:?}");
    let bare = practice.run(&["ledger", "purge"]);
    assert_eq!(bare.code, 2, "how long is never guessed: {bare:?}");
}
