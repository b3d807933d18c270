//! The front desk's work: the worklist in each format, what is ticked off by two people at once, and write-back files,
//! whose batches tell each call once.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt;

use calamine::{Reader, Xlsx, open_workbook};
use serde_json::Value;

use crate::support::harness::{Practice, ProgramOutput, recall};
use crate::support::vendor::MORNING;

/// One patient for each way to take a call, the first with a household; two have chart numbers that Open Dental cannot
/// have.
const LIST: &str = "patient_id,first_name,last_name,phone,family_id\n\
                    1001,Ana,Diaz,773-555-0110,9\n\
                    1002,Ben,Diaz,773-555-0110,9\n\
                    1003,Cy,=1+1,773-555-0111,\n\
                    1004,Di,Eck,773-555-0112,\n\
                    1005,Ed,Fox,773-555-0113,\n\
                    1006,Flo,Gil,773-555-0114,\n\
                    1007,Gus,Hay,773-555-0115,\n\
                    X-8,Hal,Ives,773-555-0116,\n\
                    1009,Ida,Jay,773-555-0117,\n\
                    1010,Jo,Kay,773-555-0118,\n\
                    1011,Kit,Lee,773-555-0119,\n";

/// How the people at the numbers 0110 to 0119 take the call.
const PEOPLE: [&str; 10] = [
    "asks-callback",
    "books",
    "reschedules",
    "unclassifiable",
    "wrong-number",
    "opts-out",
    "deceased-or-moved",
    "declines",
    "confirms",
    "no-answer",
];

fn called_with(rest: &str) -> Practice {
    let campaign = format!(
        "[calling]\nconsent = \"on_file\"\n[redial]\nmax_attempts = 1\n[safety.stop_on]\nopt_out_rate = 1\nwrong_number_rate = 1\n\
         error_rate = 1\n{rest}[vendor]\nkind = \"simulator\"\npeople = \"people.toml\"\nstart = \"{MORNING}\"\n"
    );
    let practice = Practice::with(&recall(&campaign), LIST);
    let person = |(at, word): (usize, &&str)| format!("\"+177355501{}\" = [\"{word}\"]\n", 10 + at);
    practice.write("campaigns/people.toml", &PEOPLE.iter().enumerate().map(person).collect::<String>());
    let ended = practice.run(&["run", "campaigns/recall.toml"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.stderr.ends_with("for the front desk: 7; `callrounds worklist --campaign recall`\n"), "{ended:?}");
    practice
}

fn called() -> Practice {
    called_with("")
}

fn json(ended: &ProgramOutput) -> Value {
    assert_eq!(ended.code, 0, "{ended:?}");
    serde_json::from_str(&ended.stdout).expect("a JSON document")
}

fn worklist(practice: &Practice, options: &[&str]) -> Value {
    json(&practice.run(&[&["worklist", "--json"], options].concat()))
}

/// The entries of a worklist by group.
fn groups(worklist: &Value) -> BTreeMap<String, Vec<i64>> {
    let mut groups: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for item in worklist["items"].as_array().expect("items") {
        let entry = item["entry"].as_i64().expect("a number");
        groups.entry(item["group"].as_str().expect("a word").to_owned()).or_default().push(entry);
    }
    groups
}

#[test]
fn each_patient_is_in_the_group_that_says_what_to_do() {
    let practice = called();
    let open = worklist(&practice, &[]);
    let expected = [
        ("call_back", vec![1]),
        ("check_chart", vec![7]),
        ("correct_number", vec![5]),
        ("enter_booking", vec![2]),
        ("mark_do_not_call", vec![6]),
        ("read_and_decide", vec![4]),
        ("reschedule", vec![3]),
    ];
    assert_eq!(groups(&open), expected.map(|(group, entries)| (group.to_owned(), entries)).into());
    assert_eq!(open["open"], 7);
    let all = worklist(&practice, &["--all"]);
    assert_eq!(groups(&all).values().map(Vec::len).sum::<usize>(), 10, "each entry once");
    assert_eq!(groups(&all)["nothing_to_do"], [8, 9, 10]);
    assert_eq!(groups(&worklist(&practice, &["--group", "nothing-to-do"]))["nothing_to_do"], [8, 9, 10]);

    let first = &open["items"][0];
    assert_eq!(first["patient"]["patient_id"], "1001");
    assert_eq!(
        first["household"],
        serde_json::json!([{ "patient_id": "1002", "first_name": "Ben", "last_name": "Diaz" }])
    );
    assert_eq!(first["what_was_said"], "The patient would like the office to call. Needed: Call the patient back");

    let text = practice.run(&["worklist"]).stdout;
    for words in [
        "for the front desk: 7\n",
        "\ncall back (1)\n",
        "+17735550110",
        "Ben Diaz (1002)",
        "The patient would like the office to call. Needed: Call the patient back\n",
    ] {
        assert!(text.contains(words), "{words}\n{text}");
    }
    assert!(!text.contains("nothing to do"), "{text}");
    let status = practice.run(&["status"]).stdout;
    assert!(status.ends_with("for the front desk: 7; `callrounds worklist --campaign recall`\n"), "{status}");
    assert_eq!(json(&practice.run(&["status", "--json"]))["front_desk"], 7);
    assert_eq!(groups(&worklist(&practice, &["--campaign", "recall"])).len(), 7);
    for arguments in [["worklist", "--campaign", "recal"], ["worklist", "--group", "call"]] {
        let refused = practice.run(&arguments);
        assert_eq!((refused.code, refused.stdout.as_str()), (2, ""), "{refused:?}");
    }
}

#[test]
fn the_worklist_is_a_sheet_and_a_csv_without_formulas_that_only_its_owner_can_read() {
    let practice = called();
    for (format, file) in [("csv", "list.csv"), ("xlsx", "list.xlsx")] {
        let ended = practice.run(&["worklist", "--format", format, "--out", file]);
        assert_eq!((ended.code, ended.stderr), (0, format!("wrote {file}\n")));
        let mode = practice.path(file).metadata().expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "it holds patients' data");
    }
    let mut csv = csv::Reader::from_path(practice.path("list.csv")).expect("a file");
    let header: Vec<_> = csv.headers().expect("a header").iter().map(str::to_owned).collect();
    let columns = ["group", "name", "phone", "patient_id", "last_call", "what_was_said", "household"];
    assert_eq!(header[..columns.len()], columns);
    let rows: Vec<csv::StringRecord> = csv.records().map(|row| row.expect("a row")).collect();
    let groups: Vec<_> = rows.iter().map(|row| row[0].to_owned()).collect();
    let in_order = [
        "call back",
        "enter the booking",
        "reschedule",
        "read and decide",
        "correct the number",
        "mark do-not-call",
        "check the chart",
    ];
    assert_eq!(groups, in_order);
    assert_eq!(&rows[1][1], "Cy =1+1");
    assert!(rows[0][4].starts_with("2026-11-24 09:3"), "in the practice's zone: {:?}", rows[0]);
    let mut book: Xlsx<_> = open_workbook(practice.path("list.xlsx")).expect("a workbook");
    let sheet = book.worksheet_range("worklist").expect("a sheet");
    assert_eq!((sheet.height(), book.sheet_names()), (8, vec!["worklist".to_owned(), "summary".to_owned()]));
    assert_eq!(book.worksheet_formula("worklist").expect("a sheet").used_cells().count(), 0);
}

#[test]
fn two_people_tick_the_same_item_off_and_both_are_on_record() {
    let practice = called();
    let first = practice.run(&["worklist", "done", "1", "--by", "ana", "--note", "spoke with Zyxwv"]);
    assert!(first.code == 0 && first.stderr.contains("#1 (call back) is done"), "{first:?}");
    let second = practice.run(&["worklist", "done", "#1", "--by", "bo", "--note", "left a message"]);
    assert_eq!(second.code, 0, "{second:?}");
    assert!(second.stderr.contains("#1 (call back) was done already, by ana on "), "{second:?}");
    assert!(second.stderr.contains("your note is kept, too"), "{second:?}");
    assert!(!groups(&worklist(&practice, &[])).contains_key("call_back"));
    let all = worklist(&practice, &["--all"]);
    let done: Vec<_> = all["items"][0]["done"].as_array().expect("ticks").iter().collect();
    assert_eq!((done.len(), &done[0]["by"], &done[1]["note"]), (2, &"ana".into(), &"left a message".into()));
    assert!(practice.run(&["status"]).stdout.contains("for the front desk: 6;"));
    let explained = practice.run(&["explain", "1001"]).stdout;
    assert!(explained.contains("done by the front desk (call back, by ana)"), "{explained}");
    assert!(!explained.contains("Zyxwv"), "a note is not in the timeline: {explained}");

    // At the same time, too.
    let both =
        ["cy", "di"].map(|by| practice.command(&["worklist", "done", "2", "--by", by]).spawn().expect("the program"));
    let ended = both.map(|child| ProgramOutput::new(&child.wait_with_output().expect("ended")));
    assert!(ended.iter().all(|ended| ended.code == 0), "{ended:?}");
    let late = ended.iter().filter(|ended| ended.stderr.contains("was done already, by ")).count();
    let records = practice.count("SELECT count(*) FROM worklist_tick WHERE entry_id = 2");
    assert_eq!((late, records), (1, 2), "{ended:?}");
    assert_eq!(practice.run(&["worklist", "undo", "2"]).code, 0);

    // The next night changes nothing about what is open and what is done.
    assert_eq!(practice.run(&["run", "campaigns/recall.toml"]).code, 0);
    assert_eq!(worklist(&practice, &[])["open"], 6);
    let undone = practice.run(&["worklist", "undo", "1", "--by", "bo"]);
    assert!(undone.code == 0 && undone.stderr.contains("#1 is open again; ana had ticked it off"), "{undone:?}");
    assert_eq!(worklist(&practice, &[])["open"], 7);
    let refused = practice.run(&["worklist", "done", "3", "99"]);
    assert!(refused.code == 2 && refused.stderr.contains("no patient #99"), "{refused:?}");
    assert_eq!(worklist(&practice, &[])["open"], 7, "#3 is not done either");
}

/// The requests of a write-back file for Open Dental.
fn requests(practice: &Practice, file: &str) -> Vec<Value> {
    practice.read(file).lines().map(|line| serde_json::from_str(line).expect("a request")).collect()
}

#[test]
fn a_batch_for_open_dental_has_each_call_once_and_says_what_it_cannot_write() {
    let practice = called();
    let ended = practice.run(&["writeback", "--for", "open-dental", "--out", "od.jsonl"]);
    assert_eq!(ended.code, 5, "a chart number is no whole number: {ended:?}");
    assert!(ended.stderr.contains("batch 1 has 9 calls"), "{ended:?}");
    assert!(
        ended.stderr.contains("not written, #7: a patient_id is not a whole number, as PatNum must be"),
        "{ended:?}"
    );
    assert!(ended.stderr.contains("not written, #9: the appointment has no id that is a whole number"), "{ended:?}");
    assert!(!ended.stderr.contains("X-8"), "{ended:?}");
    let mode = practice.path("od.jsonl").metadata().expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "it holds patients' data");

    let requests = requests(&practice, "od.jsonl");
    let numbers: BTreeSet<_> = requests.iter().filter_map(|request| request["body"]["PatNum"].as_u64()).collect();
    assert_eq!(numbers, [1001, 1002, 1003, 1004, 1005, 1006, 1007, 1009, 1010, 1011].into(), "the household's too");
    assert_eq!(requests.len(), 10);
    for request in &requests {
        assert_eq!((&request["method"], &request["path"]), (&"POST".into(), &"/commlogs".into()));
        let body = &request["body"];
        assert_eq!((&body["Mode_"], &body["SentOrReceived"]), (&"Phone".into(), &"Sent".into()));
        assert!(
            body["CommDateTime"].as_str().is_some_and(|at| at.starts_with("2026-11-24 ") && at.len() == 19),
            "{body}"
        );
        assert!(body["Note"].as_str().is_some_and(|note| !note.contains('\n')), "{body}");
    }
    let note = requests[0]["body"]["Note"].as_str().expect("a note");
    assert!(note.starts_with("Automated recall call for the household on 2026-11-24 09:3"), "{note}");
    let rest = " to +17735550110: wants a call back. The patient would like the office to call. Needed: Call the patient back. \
                (callrounds #1, call 1)";
    assert!(note.ends_with(rest), "{note}");

    // The same bytes again, whatever has changed since; each call in one batch; the call that waited goes once it can.
    let first = practice.read("od.jsonl");
    practice.write("campaigns/recall.csv", &LIST.replace("X-8", "1008").replace("Ana", "Anna"));
    let again = practice.run(&["writeback", "--again", "1", "--out", "again.jsonl"]);
    assert_eq!((again.code, practice.read("again.jsonl")), (0, first.clone()));
    assert_eq!(practice.run(&["writeback", "--again", "1"]).stdout, first);
    let nothing = practice.run(&["writeback", "--for", "open-dental", "--out", "new.jsonl"]);
    assert!(nothing.code == 5 && nothing.stderr.contains("there is no call to write back"), "{nothing:?}");
    assert!(!practice.path("new.jsonl").exists());
    assert_eq!(practice.run(&["writeback", "--again", "2"]).code, 2);
    let state = json(&practice.run(&["writeback", "--json"]));
    assert_eq!(
        (&state["campaigns"][0]["waiting"]["ready"], &state["campaigns"][0]["batches"][0]["calls"]),
        (&1.into(), &9.into())
    );
    let other = practice.run(&["writeback", "--format", "notes"]);
    assert_eq!((other.code, other.stdout.lines().count()), (0, 1), "{other:?}");
    assert!(other.stdout.starts_with("X-8\tHal Ives\tAutomated recall call on 2026-11-24 "), "{other:?}");
}

#[test]
fn a_batch_as_csv_has_the_campaigns_columns_and_as_notes_a_line_for_each_patient() {
    let practice =
        called_with("[writeback]\ncolumns = { patient_id = \"Chart\", called_at = \"Date\", note = \"Comment\" }\n");
    let text = practice.run(&["writeback", "--format", "csv"]);
    assert_eq!(text.code, 0, "{text:?}");
    let mut csv = csv::Reader::from_reader(text.stdout.as_bytes());
    assert_eq!(csv.headers().expect("a header"), vec!["Chart", "Date", "Comment"]);
    assert_eq!(csv.records().count(), 11, "every patient of every call");
    let practice = called();
    let notes = practice.run(&["writeback", "--format", "notes"]).stdout;
    assert_eq!(notes.lines().count(), 11, "{notes}");
    assert!(notes.lines().all(|line| line.split('\t').count() == 3), "{notes}");
    let wrong = called_columns("patient = \"Chart\"");
    assert!(wrong.code == 2 && wrong.stderr.contains("a write-back file has no field `patient`"), "{wrong:?}");
    assert!(wrong.stderr.contains("did you mean `patient_id`?"), "{wrong:?}");
}

fn called_columns(columns: &str) -> ProgramOutput {
    let rest = format!(
        "[calling]\nconsent = \"on_file\"\n[writeback]\ncolumns = {{ {columns} }}\n[vendor]\nkind = \"simulator\"\n"
    );
    Practice::with(&recall(&rest), LIST).run(&["check", "campaigns/recall.toml"])
}

#[test]
fn a_batch_whose_file_cannot_be_written_is_kept_and_written_again() {
    let practice = called();
    std::fs::create_dir(practice.path("taken")).expect("a folder");
    let refused = practice.run(&["writeback", "--format", "csv", "--out", "taken"]);
    assert_eq!(refused.code, 2, "{refused:?}");
    let batches = || practice.count("SELECT count(*) FROM writeback");
    assert_eq!(batches(), 0, "a name that is refused makes no batch");
    let missing = practice.run(&["writeback", "--format", "csv", "--out", "nowhere/file.csv"]);
    assert_eq!(missing.code, 2, "{missing:?}");
    let told =
        missing.stderr.contains("batch 1 is in the ledger: `callrounds writeback --again 1 --out FILE` writes it");
    assert_eq!((told, batches()), (true, 1), "{missing:?}");
    let again = practice.run(&["writeback", "--again", "1"]);
    assert_eq!((again.code, again.stdout.lines().count()), (0, 12), "{again:?}");
    let calls = "SELECT count(*) - count(DISTINCT attempt_id) + (count(*) <> 10) FROM writeback_call";
    assert_eq!(practice.count(calls), 0, "each call once");
}

#[test]
fn a_batch_exists_with_its_bytes_or_not_at_all_whenever_the_program_is_killed() {
    let practice = called();
    let mut killed = 0;
    for delay in [0, 3, 6, 9, 12, 16, 20, 25, 30, 40] {
        let mut child =
            practice.command(&["writeback", "--format", "csv", "--out", "batch.csv"]).spawn().expect("it runs");
        std::thread::sleep(std::time::Duration::from_millis(delay));
        killed += i32::from(child.try_wait().expect("asked").is_none());
        child.kill().expect("killed");
        child.wait().expect("gone");
        let batches = practice.count("SELECT count(*) FROM writeback");
        let calls = practice.count("SELECT count(*) FROM writeback_call");
        let bytes = practice.count("SELECT count(*) FROM writeback_content WHERE length(content) > 500");
        assert_eq!((calls, bytes), (10 * batches, batches), "after {delay} ms");
        if let Ok(text) = std::fs::read_to_string(practice.path("batch.csv")) {
            assert_eq!(text, practice.run(&["writeback", "--again", "1"]).stdout, "after {delay} ms");
        }
    }
    assert!(killed > 0, "each program ended before it was killed");
    let rest = practice.run(&["writeback", "--format", "csv"]);
    assert_eq!(rest.code, 0, "{rest:?}");
    assert_eq!(practice.count("SELECT count(*) FROM writeback"), 1, "each call in one batch");
}

#[test]
fn a_call_whose_patient_was_purged_is_said_to_be_lost_to_write_back_and_does_not_wait_for_ever() {
    let practice = called();
    assert_eq!(practice.run(&["ledger", "purge", "--older-than", "1s"]).code, 0);
    let status = practice.run(&["writeback"]).stdout;
    assert!(status.contains("recall: 0 calls for the next batch\n  10 calls can no longer be written"), "{status}");
    for _ in 0..2 {
        let ended = practice.run(&["writeback", "--for", "open-dental", "--out", "od.jsonl"]);
        assert_eq!(ended.code, 0, "nobody can correct it: {ended:?}");
    }
}

#[test]
fn no_log_and_no_message_tells_what_was_said_or_who() {
    let practice = called();
    assert_eq!(practice.run(&["worklist", "done", "1", "--note", "spoke with Zyxwv"]).code, 0);
    for arguments in [
        ["worklist", "--out", "a.txt"].as_slice(),
        &["worklist", "done", "1", "--note", "Zyxwv again"],
        &["worklist", "undo", "1"],
        &["writeback", "--for", "open-dental", "--out", "b.jsonl"],
        &["writeback", "--again", "1", "--out", "c.jsonl"],
        &["transcript", "2"],
        &["resolve"],
    ] {
        let ended = practice.run(&[arguments, &["-vv"]].concat());
        assert!([0, 5].contains(&ended.code), "{ended:?}");
        for secret in ["Zyxwv", "Diaz", "Ana", "5550110", "555-0110", "X-8", "would like", "would be good"] {
            assert!(!ended.stderr.contains(secret), "{arguments:?}: {secret}: {ended:?}");
        }
    }
}

#[test]
fn a_purge_removes_notes_and_batches_too() {
    let practice = called();
    assert_eq!(practice.run(&["worklist", "done", "1", "--note", "spoke with Zyxwv"]).code, 0);
    assert_eq!(practice.run(&["writeback", "--format", "csv", "--out", "batch.csv"]).code, 0);
    let holds = |word: &str| {
        ["campaigns/callrounds.db", "campaigns/callrounds.db-wal"].into_iter().any(|name| {
            let bytes = std::fs::read(practice.path(name)).unwrap_or_default();
            bytes.windows(word.len()).any(|window| window == word.as_bytes())
        })
    };
    let words = ["Zyxwv", "Automated recall call", "Ives"];
    assert!(words.iter().all(|word| holds(word)));
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    let purged = practice.run(&["ledger", "purge", "--older-than", "1s"]);
    assert_eq!(purged.code, 0, "{purged:?}");
    for word in words {
        assert!(!holds(word), "{word}");
    }
    let again = practice.run(&["writeback", "--again", "1"]);
    assert!(again.code == 2 && again.stderr.contains("the content of batch 1 was removed"), "{again:?}");
    assert_eq!(worklist(&practice, &["--all"])["items"][0]["done"][0]["note"], Value::Null);
    assert_eq!(practice.run(&["ledger", "verify"]).code, 0);
}
