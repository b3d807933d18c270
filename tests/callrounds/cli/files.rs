//! Files: the program writes, replaces or removes only its own files, and leaves all others unchanged.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};

use crate::support::harness::{Practice, ProgramOutput, recall};
use crate::support::oracle;
use crate::support::vendor::MORNING;

const LIST: &str = "patient_id,first_name,phone\n1,Ana,773-555-0110\n2,Bo,773-555-0111\n";
const RUN: [&str; 2] = ["run", "campaigns/recall.toml"];

fn campaign(list: &str) -> String {
    recall(&format!(
        "{list}[message]\ncontext = \"{{{{ first_name }}}}.\"\n[calling]\nconsent = \"on_file\"\n[redial]\nmax_attempts = 1\n\
         [vendor]\nkind = \"simulator\"\nstart = \"{MORNING}\"\n"
    ))
}

fn refused(ended: &ProgramOutput, code: i32, expected: &[&str]) {
    assert_eq!((ended.code, ended.stdout.as_str()), (code, ""), "{ended:?}");
    assert!(expected.iter().all(|expected| ended.stderr.contains(expected)), "{expected:?}: {}", ended.stderr);
}

#[test]
fn a_rejects_file_replaces_no_other_file() {
    let cases = [
        ("recall.csv", LIST),
        ("recall.toml", ""),
        ("annie.key", "annie-sk-v1-of-nobody\n"),
        ("notes.csv", "reason,line\nbecause,1\n"),
        ("empty.csv", ""),
    ];
    for (name, text) in cases {
        let campaign = campaign(&format!("rejects = \"{name}\"\n"));
        for list in [LIST.to_owned(), LIST.to_owned() + "3,Cy,773\n"] {
            let practice = Practice::with(&campaign, &list);
            if !text.is_empty() || name == "empty.csv" {
                practice.write(&format!("campaigns/{name}"), if name == "recall.csv" { &list } else { text });
            }
            let before = practice.read(&format!("campaigns/{name}"));
            refused(&practice.run(&RUN), 2, &[name, "is to be the rejects file", "[list] rejects"]);
            assert_eq!(practice.read(&format!("campaigns/{name}")), before, "{name}");
            assert!(!practice.path("campaigns/callrounds.db").exists(), "no run was started");
        }
    }
    // The rejects path names the ledger, which does not exist before the run: the path is checked again afterwards.
    for list in [LIST.to_owned(), LIST.to_owned() + "3,Cy,773-555-0112\n4,Di,773-555-0113\n5,Cy,773\n"] {
        let practice = Practice::with(&campaign("rejects = \"callrounds.db\"\n"), &list);
        refused(&practice.run(&RUN), 2, &["callrounds.db", "is to be the rejects file"]);
        assert_eq!(practice.run(&["ledger", "verify", "--ledger", "campaigns/callrounds.db"]).code, 0);
        assert!(oracle::embedded_calls(&practice).is_empty());
        refused(&practice.run(&RUN), 2, &["callrounds.db", "is to be the rejects file"]);
    }
    // A list that the run reads is not replaced, although it looks like a rejects file.
    for (list, arguments, what) in [
        ("mine.csv", &[][..], "the campaign's list"),
        ("recall.csv", &["--exclude", "campaigns/mine.csv"], "the exclude file"),
    ] {
        let campaign = campaign("rejects = \"mine.csv\"\n").replace("\"recall.csv\"", &format!("\"{list}\""));
        let practice = Practice::with(&campaign, LIST);
        let ours = "line,reason,patient_id,first_name,phone\n9,an older one,9,Jo,773-555-0119\n";
        practice.write("campaigns/mine.csv", ours);
        for command in ["run", "check"] {
            let ended = practice.run(&[&[command, "campaigns/recall.toml"], arguments].concat());
            let expected = format!(
                "mine.csv is also {what}; it was not changed, and nothing was sent: name another file under [list] rejects"
            );
            refused(&ended, 2, &[&expected]);
        }
        assert_eq!(practice.read("campaigns/mine.csv"), ours);
    }
    // A rejects file of an earlier run is replaced, and removed once no row is rejected.
    let practice =
        Practice::with(&campaign("rejects = \"mine.csv\"\nmax_reject_rate = 0.9\n"), &(LIST.to_owned() + "3,Cy,773\n"));
    practice.write("campaigns/mine.csv", "line,reason,patient_id\n9,an older one,9\n");
    assert_eq!(practice.run(&RUN).code, 0);
    assert!(practice.read("campaigns/mine.csv").contains("3,Cy,773"));
    practice.write("campaigns/recall.csv", LIST);
    assert_eq!(practice.run(&RUN).code, 0);
    assert!(!practice.path("campaigns/mine.csv").exists());
}

#[test]
fn the_ledgers_own_files_must_not_be_links_pipes_or_folders() {
    for file in ["callrounds.db.lock", "callrounds.db-wal", "callrounds.db-shm"] {
        let practice = Practice::with(&campaign(""), LIST);
        practice.write("theirs", "somebody else's");
        symlink(practice.path("theirs"), practice.path("campaigns").join(file)).expect("a link");
        refused(&practice.run(&RUN), 7, &[file, "is a link", "move it away"]);
        assert_eq!(practice.read("theirs"), "somebody else's");
        assert!(oracle::embedded_calls(&practice).is_empty());
    }
    for (file, what) in
        [("callrounds.db.lock", "a pipe"), ("callrounds.db.high-water", "a pipe"), ("callrounds.db-wal", "a folder")]
    {
        let practice = Practice::with(&campaign(""), LIST);
        let path = practice.path("campaigns").join(file);
        match what {
            "a pipe" => rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, 0o600.into(), 0)
                .expect("a pipe"),
            _ => fs::create_dir(&path).expect("a folder"),
        }
        refused(&practice.run(&RUN), 7, &[file, what, "move it away"]);
    }
    let practice = Practice::with(&campaign(""), LIST);
    practice.write("theirs", "somebody else's");
    fs::hard_link(practice.path("theirs"), practice.path("campaigns/callrounds.db.lock")).expect("a second name");
    refused(&practice.run(&RUN), 7, &["callrounds.db.lock", "hard link", "put a copy in its place"]);
    assert_eq!(practice.read("theirs"), "somebody else's");
    // The ledger itself may be a link: its other files are beside the link's target.
    let practice = Practice::with(&campaign(""), LIST);
    assert_eq!(practice.run(&RUN).code, 0);
    symlink(practice.path("campaigns/callrounds.db"), practice.path("mine.db")).expect("a link");
    assert_eq!(practice.run(&["status", "--ledger", "mine.db"]).code, 0);
}

#[test]
fn a_ledger_is_kept_in_no_folder_that_everybody_may_write_to() {
    let practice = Practice::with(&campaign(""), LIST);
    let mode = |mode| fs::set_permissions(practice.path("campaigns"), Permissions::from_mode(mode)).expect("a mode");
    mode(0o777);
    refused(&practice.run(&RUN), 7, &["every user of this machine", "chmod o-w"]);
    assert!(!practice.path("campaigns/callrounds.db").exists());
    assert!(!practice.path("campaigns/callrounds.db.lock").exists());
    mode(0o1777);
    refused(&practice.run(&RUN), 7, &["chmod o-w"]);
    mode(0o700);
    assert_eq!(practice.run(&RUN).code, 0);
    mode(0o1777);
    for command in ["status", "report"] {
        refused(&practice.run(&[command]), 7, &["chmod o-w"]);
    }
    mode(0o775);
    assert_eq!(practice.run(&["status"]).code, 0);
}

#[test]
fn a_purge_succeeds_only_once_no_reader_needs_the_old_pages() {
    let list = "patient_id,first_name,phone\n1,Quilla,773-555-0110\n2,Bo,773-555-0111\n";
    let practice = Practice::with(&campaign(""), list);
    assert_eq!(practice.run(&RUN).code, 0);
    let holds = || {
        ["campaigns/callrounds.db", "campaigns/callrounds.db-wal"].into_iter().any(|name| {
            let bytes = fs::read(practice.path(name)).unwrap_or_default();
            bytes.windows(6).any(|window| window == b"Quilla")
        })
    };
    let purge = || practice.run(&["ledger", "purge", "--older-than", "1s"]);
    let reader = practice.ledger();
    reader.execute_batch("BEGIN; SELECT count(*) FROM entry;").expect("read");
    let seen: i64 = reader.query_row("SELECT count(*) FROM entry", [], |row| row.get(0)).expect("a number");
    assert_eq!(seen, 2);
    let with_reader = purge();
    refused(&with_reader, 7, &["the removed data is still on the disk", "the same `ledger purge` again"]);
    assert!(!with_reader.stderr.contains("removed names"), "{with_reader:?}");
    assert!(holds(), "the reader needs them");
    reader.execute_batch("COMMIT").expect("over");
    drop(reader);
    let without_reader = purge();
    assert_eq!(without_reader.code, 0, "{without_reader:?}");
    assert!(without_reader.stderr.contains("removed names"), "{without_reader:?}");
    assert!(!holds());
}

#[test]
fn a_folder_in_the_place_of_a_file_is_named_as_one() {
    let practice = Practice::with(&campaign(""), LIST);
    for command in [&RUN[..], &["status"], &["report"], &["ledger", "verify"], &["suppress", "list"], &["doctor"]] {
        let ended = practice.run(&[command, &["--ledger", "campaigns"]].concat());
        assert_eq!(ended.code, 2, "{command:?}: {ended:?}");
        let text = ended.stderr.clone() + &ended.stdout;
        assert!(text.contains("campaigns is a folder: name the ledger's file in it"), "{command:?}: {text}");
    }
    let with_folder = recall("[calling]\nconsent = \"on_file\"\n[vendor]\nkey_file = \"lists\"\n")
        .replace("+13125550142", "+13125550242")
        .replace("+13125550100", "+13125550200");
    let practice = Practice::with(&with_folder, LIST);
    let ended = practice.run(&["run", "campaigns/recall.toml", "--yes"]);
    refused(&ended, 2, &["the key file is a folder, not a file"]);
}

#[test]
fn the_program_writes_no_core_dumps() {
    let practice = Practice::with(&campaign(""), LIST);
    let vendor = crate::support::vendor::Vendor::start(&practice, "1", &[]);
    let limits = fs::read_to_string(format!("/proc/{}/limits", vendor.id())).expect("its limits");
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).expect("a line");
    assert_eq!(core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"], "{core}");
}

#[test]
fn a_file_that_is_no_ledger_is_left_as_it_is() {
    let practice = Practice::with(&campaign(""), LIST);
    for (ledger, code, expected) in [
        ("/dev/null", 7, "not an ordinary file"),
        ("campaigns/recall.csv", 7, "is not a ledger"),
        ("campaigns/recall.toml", 7, "is not a ledger"),
    ] {
        for command in [&RUN[..], &["status"], &["doctor", "campaigns/recall.toml"]] {
            let ended = practice.run(&[command, &["--ledger", ledger]].concat());
            let text = ended.stderr.clone() + &ended.stdout;
            assert!(ended.code == code && text.contains(expected) && !text.contains("chmod"), "{ledger}: {ended:?}");
        }
        assert!(!practice.path(&format!("{ledger}.lock")).exists(), "{ledger}");
    }
    assert_eq!(practice.read("campaigns/recall.csv"), LIST);
}

#[test]
fn a_report_replaces_no_file_of_the_ledger() {
    let practice = Practice::with(&campaign(""), LIST);
    assert_eq!(practice.run(&RUN).code, 0);
    for suffix in ["", "-wal", ".lock", ".high-water"] {
        let out = format!("campaigns/callrounds.db{suffix}");
        let before = fs::read(practice.path(&out)).ok();
        refused(&practice.run(&["report", "--ledger", "campaigns/callrounds.db", "--out", &out]), 2, &["a database"]);
        assert_eq!(fs::read(practice.path(&out)).ok(), before, "{out}");
    }
}
