//! Untrusted text: whatever a list, a campaign, an argument or the vendor contains, no terminal control sequence is printed,
//! no line is added to the output, and no other file is touched.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener};

use callrounds::cli::args::ReportFormat;
use clap::ValueEnum;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::support::harness::{Practice, ProgramOutput, recall};
use crate::support::vendor::MORNING;

const RUN: [&str; 2] = ["run", "campaigns/recall.toml"];

/// Whether a character must not be sent to a terminal; written independently of the program's rule.
fn is_control(c: char) -> bool {
    let code = u32::from(c);
    code < 0x20
        || (0x7f..0xa0).contains(&code)
        || [0x61c, 0xfeff].contains(&code)
        || (0x200b..=0x200f).contains(&code)
        || (0x2028..=0x202e).contains(&code)
        || (0x2060..=0x2069).contains(&code)
}

fn assert_clean(ended: &ProgramOutput, of: &str) {
    for (stream, text) in [("output", &ended.stdout), ("messages", &ended.stderr)] {
        let found = text.chars().find(|c| is_control(*c) && *c != '\n');
        assert_eq!(found, None, "{of}: {stream}: {text:?}");
        assert!(!text.lines().any(|line| line.starts_with("forged")), "{of}: {stream}: {text:?}");
    }
}

fn campaign(rest: &str) -> String {
    recall(&format!(
        "max_reject_rate = 1.0\n[calling]\nconsent = \"on_file\"\n[redial]\nmax_attempts = 1\n[message]\n\
         context = \"{{{{ first_name }}}} {{{{ note }}}}.\"\n{rest}\
         [vendor]\nkind = \"simulator\"\nstart = \"{MORNING}\"\n"
    ))
}

const NASTY: &str =
    "A\u{1b}[2J\u{1b}]0;x\u{7}\u{202e}na\u{2066}\u{200b}\u{9b}31m\u{85}\u{2028}\u{feff}\nforged\rforged";

/// Commands that print data for people: those that read the list, and those that read the ledger.
const READING: [&str; 3] =
    ["check campaigns/recall.toml", "check campaigns/recall.toml --json", "run campaigns/recall.toml"];
const SHOWING: [&str; 3] = ["status", "status --json", "report"];

/// Whether people read the format itself; in a file, the others give cells to programs exactly as the list has them.
fn is_for_people(format: ReportFormat) -> bool {
    match format {
        ReportFormat::Text | ReportFormat::Json | ReportFormat::Html => true,
        ReportFormat::Csv | ReportFormat::Xlsx => false,
    }
}

/// [`SHOWING`], and a report in every format for people.
fn showing() -> impl Iterator<Item = String> {
    let formats = ReportFormat::value_variants().iter().filter(|format| is_for_people(**format));
    let names = formats.filter_map(ValueEnum::to_possible_value);
    let reports = names.map(|format| format!("report --format {}", format.get_name()));
    SHOWING.into_iter().map(str::to_owned).chain(reports)
}

fn show(practice: &Practice, command: &str) -> ProgramOutput {
    let ended = practice.run(&command.split(' ').collect::<Vec<_>>());
    assert_clean(&ended, command);
    ended
}

#[test]
fn what_a_list_says_is_shown_and_never_obeyed() {
    let cell = format!("\"{NASTY}\"");
    let list = format!(
        "patient_id,first_name,last_name,phone,note,{cell}\n{cell},Ana,Li,773-555-0110,n,\n2,{cell},Li,773-555-0111,n,\n\
         3,Bo,{cell},773-555-0112,{cell},\n4,Di,Li,{cell},n,\n"
    );
    let practice = Practice::with(&campaign(""), &list);
    for command in READING {
        show(&practice, command);
    }
    for command in showing() {
        let ended = show(&practice, &command);
        assert_eq!(ended.code, 0, "{ended:?}");
    }
    let shown = practice.run(&["report"]);
    assert!(shown.stdout.contains("\\u{1b}[2J"), "{}", shown.stdout);
    let explained = practice.run(&["explain", NASTY]);
    assert_clean(&explained, "explain");
    assert!(explained.stdout.contains("patient A\\u{1b}[2J") && explained.code == 0, "{explained:?}");
    assert_clean(&practice.run(&["explain", &format!("{NASTY}?")]), "explain nobody");
    assert_clean(&practice.run(&["-vv", "run", "campaigns/recall.toml", "--json"]), "the log");
}

#[test]
fn arguments_and_file_names_are_shown_and_never_obeyed() {
    let practice = Practice::with(&campaign(""), "patient_id,first_name,phone,note\n1,Ana,773-555-0110,n\n");
    let name = NASTY.replace(['\n', '\r', '/'], "");
    for arguments in [
        vec!["run", name.as_str()],
        vec!["run", "campaigns/recall.toml", "--list", &name],
        vec!["run", "campaigns/recall.toml", &name],
        vec!["status", &name],
        vec![name.as_str()],
        vec!["status", "--ledger", &name],
        vec!["suppress", "add", &name],
        vec!["report", "--format", &name],
    ] {
        let ended = practice.run(&arguments);
        assert_ne!(ended.code, 0, "{ended:?}");
        assert_clean(&ended, &format!("{arguments:?}"));
    }
    for source in [
        campaign("").replace("Bright Smile", "Bright \\u001b[2J\\u202eSmile"),
        campaign(&format!("# {name}\nbad = 1\n")),
    ] {
        practice.write("campaigns/recall.toml", &source);
        for command in READING.into_iter().map(str::to_owned).chain(showing()) {
            show(&practice, &command);
        }
    }
    practice.run(&["suppress", "add", "773-555-0119", "--source", NASTY, "--ledger", "campaigns/callrounds.db"]);
    assert_clean(&practice.run(&["suppress", "list", "--ledger", "campaigns/callrounds.db"]), "suppress list");
}

/// A name with a line break must not start a line of output.
#[test]
fn line_breaks_in_names_start_no_line_of_output() {
    let list = "patient_id,first_name,phone,note\n1,Ana,773-555-0110,n\n2,Bo,773,n\n";
    let assert_on_our_lines = |ended: &ProgramOutput, of: &str| {
        let lines = ended.stderr.lines().chain(ended.stdout.lines());
        assert!(lines.clone().all(|line| !line.starts_with("FAKE")), "{of}: {ended:?}");
        assert!(lines.clone().any(|line| line.contains("\\u{a}FAKE")), "{of} does not show it: {ended:?}");
    };
    let practice = Practice::with(&campaign(""), list);
    let name = "no\nFAKE: all is well";
    for arguments in [
        &["run", name][..],
        &["check", "campaigns/recall.toml", "--list", name],
        &["check", "campaigns/recall.toml", "--exclude", name],
        &["run", "campaigns/recall.toml", "--plan", name],
        &["status", "--ledger", name],
        &["suppress", "import", name, "--source", "x"],
        &["doctor", "campaigns/recall.toml", "--ledger", name],
    ] {
        assert_on_our_lines(&practice.run(arguments), &format!("{arguments:?}"));
    }
    for (from, to) in [
        ("file = \"recall.csv\"", "file = \"no\\nFAKE.csv\""),
        ("[calling]", "key = [\"patient_id\", \"no\\nFAKE\"]\n[calling]"),
        ("[calling]", "columns = { phone = \"no\\nFAKE\" }\n[calling]"),
        ("[calling]", "columns = { \"no\\nFAKE\" = \"phone\" }\n[calling]"),
        ("[calling]", "rejects = \"no\\nFAKE.csv\"\nmax_reject_rate = 0.9\n[calling]"),
    ] {
        let text = recall("[calling]\nconsent = \"on_file\"\n[vendor]\nkind = \"simulator\"\n");
        let practice = Practice::with(&text.replace(from, to), list);
        assert_on_our_lines(&practice.run(&["run", "campaigns/recall.toml"]), to);
    }
}

/// A rejects file's cells are no formulas, and reading it back gives every cell as it was in the list.
#[test]
fn a_rejects_file_is_no_formula_and_is_read_back_exactly() {
    let header = "patient_id,first_name,phone,note,=cmd";
    let rows =
        "\"=1+1\",'=x,773,+1 (773) 555-0110,-\n@id,\"\tTab\",773,''-y,\"+\"\n7,\"O'Brien\",773,'plain,\"two\nlines\"\n";
    let practice = Practice::with(&campaign(""), &format!("{header}\n{rows}"));
    let checked = |list: &str| practice.run(&["check", "campaigns/recall.toml", "--list", list]);
    practice.run(&RUN);
    let first = practice.read("campaigns/recall.rejects.csv");
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(first.as_bytes());
    for record in reader.records() {
        let record = record.expect("a record");
        assert!(!record.iter().any(|cell| cell.starts_with(['=', '+', '-', '@', '\t', '\r'])), "{record:?}");
    }
    assert!(first.contains("'=1+1") && first.contains("''=x") && first.contains("'''-y"), "{first}");
    // Read back and rejected again, it is the same file.
    practice.write("again.csv", &first);
    assert_eq!(checked("again.csv").code, 0);
    practice.run(&[&RUN[..], &["--list", "again.csv"]].concat());
    let second = practice.read("campaigns/recall.rejects.csv");
    let cells = |text: &str| -> Vec<Vec<String>> {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
        reader.records().map(|record| record.expect("a record").iter().skip(1).map(str::to_owned).collect()).collect()
    };
    assert_eq!(cells(&second), cells(&first));
    // Once corrected, the ledger has the cells of the list.
    practice.write("corrected.csv", &first.replace(",773,", ",773-555-0110,"));
    assert_eq!(practice.run(&[&RUN[..], &["--list", "corrected.csv"]].concat()).code, 0);
    let report = practice.report();
    let ids: Vec<_> = report["patients"].as_array().expect("patients").iter().map(|one| &one["patient_id"]).collect();
    assert!(ids.contains(&&"=1+1".into()) && ids.contains(&&"@id".into()), "{ids:?}");
}

fn files(practice: &Practice) -> BTreeSet<String> {
    let folder = fs::read_dir(practice.path("campaigns")).expect("a folder");
    folder.map(|file| file.expect("a file").file_name().to_string_lossy().into_owned()).collect()
}

/// Whatever bytes are in a list or in a campaign, the program ends with a documented exit code, prints no control characters
/// and writes only its own files.
#[test]
fn no_byte_of_a_list_or_a_campaign_is_obeyed_or_leads_to_another_file() {
    let piece = prop_oneof![
        Just("\u{1b}[31m".to_owned().into_bytes()),
        Just("\u{202e}".to_owned().into_bytes()),
        Just(b"\n".to_vec()),
        Just(b",".to_vec()),
        Just(b"\"".to_vec()),
        Just(b"../".to_vec()),
        Just(b"1,Ana,773-555-0110,n\n".to_vec()),
        Just(b"rejects = \"../x\"\n".to_vec()),
        proptest::collection::vec(any::<u8>(), 0..12),
    ];
    let bytes = proptest::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat());
    let mut runner = TestRunner::new(Config { cases: 24, failure_persistence: None, ..Config::default() });
    let practice = Practice::with(&campaign(""), "");
    let expected_files: BTreeSet<String> = [
        "callrounds.db",
        "callrounds.db-wal",
        "callrounds.db-shm",
        "callrounds.db.lock",
        "callrounds.db.high-water",
        "recall.rejects.csv",
        "callrounds.db.recall.simulator.jsonl",
        "x",
    ]
    .into_iter()
    .map(str::to_owned)
    .chain(files(&practice))
    .collect();
    let outcome =
        runner.run(&(bytes.clone(), bytes.clone(), bytes, any::<bool>()), |(cell, list, extra, in_campaign)| {
            // A valid row with a cell of any bytes, and rows of random bytes.
            let cell = String::from_utf8_lossy(&cell).replace('"', "\"\"");
            let row = format!("patient_id,first_name,phone,note\n7,\"A{cell}\",773-555-0117,\"n{cell}\"\n");
            let list = [row.into_bytes(), list].concat();
            fs::write(practice.path("campaigns/recall.csv"), &list).expect("written");
            let text =
                if in_campaign { [campaign("").into_bytes(), extra].concat() } else { campaign("").into_bytes() };
            fs::write(practice.path("campaigns/recall.toml"), &text).expect("written");
            for command in
                [&["check", "campaigns/recall.toml"][..], &RUN, &["report", "--ledger", "campaigns/callrounds.db"]]
            {
                let ended = practice.run(command);
                prop_assert!((0..=8).contains(&ended.code) && ended.code != 1, "{ended:?}");
                assert_clean(&ended, &command.join(" "));
            }
            prop_assert_eq!(fs::read(practice.path("campaigns/recall.csv")).expect("the list"), list);
            prop_assert_eq!(fs::read(practice.path("campaigns/recall.toml")).expect("the campaign"), text);
            let found = files(&practice);
            prop_assert!(found.is_subset(&expected_files), "{found:?}");
            Ok(())
        });
    outcome.expect("no case fails");
}

/// Starts a vendor that answers every call request with the body `call` and every other request with `other`.
fn vendor_with_bodies(call: Vec<u8>, other: Vec<u8>) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let address = listener.local_addr().expect("its address");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let (mut head, mut length) = (String::new(), 0);
            let mut reader = BufReader::new(stream.try_clone().expect("a stream"));
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line).unwrap_or(0) <= 2 {
                    break;
                }
                if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap_or(0);
                }
                head += &line;
            }
            let _ = reader.read_exact(&mut vec![0; length]);
            let body = if head.starts_with("POST") { &call } else { &other };
            let _ = write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            let _ = stream.write_all(body);
        }
    });
    format!("http://{address}/v1")
}

/// The vendor's answers: a conversation id, the words of a refusal, or random bytes.
#[test]
fn no_byte_of_an_answer_is_obeyed() {
    let empty_list = br#"{"success":true,"data":{"conversations":[],"pagination":{"totalCount":0}}}"#.to_vec();
    let id = serde_json::json!({ "success": true, "data": { "conversationId": NASTY, "status": NASTY } });
    let refusal = serde_json::json!({ "success": false, "error": { "code": NASTY, "message": NASTY } });
    let answers =
        [id.to_string().into_bytes(), refusal.to_string().into_bytes(), NASTY.as_bytes().to_vec(), vec![0x9b; 99]];
    for answer in answers {
        for other in [empty_list.clone(), answer.clone()] {
            let list = "patient_id,first_name,phone,note\n1,Ana,773-555-0110,n\n";
            let practice = Practice::with(&campaign("").replace("kind = \"simulator\"", "rehearsal = true"), list);
            practice.write(
                "campaigns/recall.toml",
                &practice.read("campaigns/recall.toml").replace(&format!("start = \"{MORNING}\"\n"), ""),
            );
            let address = vendor_with_bodies(answer.clone(), other);
            let run = [&RUN[..], &["-vv", "--at", MORNING, "--speed", "3600"]].concat();
            let ended = practice.run_against(&address, &run);
            assert_clean(&ended, "run");
            for command in showing() {
                show(&practice, &command);
            }
            assert_clean(&practice.run(&["explain", "1"]), "explain");
        }
    }
}
