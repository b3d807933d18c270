//! Files: only what was named for it is written, replaced or removed, and what is a stranger's stays as it is.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};

use crate::oracle;
use crate::practice::{Ended, Practice, recall};
use crate::vendor::MORNING;

const LIST: &str = "patient_id,first_name,phone\n1,Ana,773-555-0110\n2,Bo,773-555-0111\n";
const RUN: [&str; 2] = ["run", "campaigns/recall.toml"];

fn campaign(list: &str) -> String {
    recall(&format!(
        "{list}[message]\ncontext = \"{{{{ first_name }}}}.\"\n[calling]\nconsent = \"on_file\"\n[redial]\nmax_attempts = 1\n\
         [vendor]\nkind = \"simulator\"\nstart = \"{MORNING}\"\n"
    ))
}

fn refused(ended: &Ended, code: i32, says: &[&str]) {
    assert_eq!((ended.code, ended.stdout.as_str()), (code, ""), "{ended:?}");
    assert!(says.iter().all(|says| ended.stderr.contains(says)), "{says:?}: {}", ended.stderr);
}

#[test]
fn rejected_rows_take_the_place_of_no_other_file() {
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
            refused(&practice.run(&RUN), 2, &[name, "no rejects file", "[list] rejects"]);
            assert_eq!(practice.read(&format!("campaigns/{name}")), before, "{name}");
            assert!(!practice.path("campaigns/callrounds.db").exists(), "nothing was begun");
        }
    }
    // The ledger is made only now: it is looked at once more.
    for list in [LIST.to_owned(), LIST.to_owned() + "3,Cy,773-555-0112\n4,Di,773-555-0113\n5,Cy,773\n"] {
        let practice = Practice::with(&campaign("rejects = \"callrounds.db\"\n"), &list);
        refused(&practice.run(&RUN), 2, &["callrounds.db", "no rejects file"]);
        assert_eq!(practice.run(&["ledger", "verify", "--ledger", "campaigns/callrounds.db"]).code, 0);
        assert!(oracle::embedded(&practice).is_empty());
        refused(&practice.run(&RUN), 2, &["callrounds.db", "no rejects file"]);
    }
    // Nor that of a list that the run reads, though it looks like one of ours.
    for (list, arguments) in [("mine.csv", &[][..]), ("recall.csv", &["--exclude", "campaigns/mine.csv"])] {
        let campaign = campaign("rejects = \"mine.csv\"\n").replace("\"recall.csv\"", &format!("\"{list}\""));
        let practice = Practice::with(&campaign, LIST);
        let ours = "line,reason,patient_id,first_name,phone\n9,an older one,9,Jo,773-555-0119\n";
        practice.write("campaigns/mine.csv", ours);
        for command in ["run", "check"] {
            let ended = practice.run(&[&[command, "campaigns/recall.toml"], arguments].concat());
            refused(&ended, 2, &["mine.csv is where rejected rows go", "left as it is"]);
        }
        assert_eq!(practice.read("campaigns/mine.csv"), ours);
    }
    // One of ours is replaced, and removed once there is nothing to say.
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
fn what_belongs_to_the_ledger_is_reached_through_no_link() {
    for file in ["callrounds.db.lock", "callrounds.db-wal", "callrounds.db-shm"] {
        let practice = Practice::with(&campaign(""), LIST);
        practice.write("theirs", "somebody else's");
        symlink(practice.path("theirs"), practice.path("campaigns").join(file)).expect("a link");
        refused(&practice.run(&RUN), 7, &[file, "is a link", "move it away"]);
        assert_eq!(practice.read("theirs"), "somebody else's");
        assert!(oracle::embedded(&practice).is_empty());
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
    // A ledger may be a link itself: what is beside it is beside the file.
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
fn a_purge_is_believed_only_once_nobody_holds_the_old_pages() {
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
    let beside = purge();
    refused(&beside, 7, &["not gone from the disk yet", "the same `ledger purge` again"]);
    assert!(!beside.stderr.contains("gone from the ledger"), "{beside:?}");
    assert!(holds(), "the reader needs them");
    reader.execute_batch("COMMIT").expect("over");
    drop(reader);
    let alone = purge();
    assert_eq!(alone.code, 0, "{alone:?}");
    assert!(!holds());
}

#[test]
fn a_folder_in_the_place_of_a_file_is_named_as_one() {
    let practice = Practice::with(&campaign(""), LIST);
    for command in [&RUN[..], &["status"], &["report"], &["ledger", "verify"], &["suppress", "list"], &["doctor"]] {
        let ended = practice.run(&[command, &["--ledger", "campaigns"]].concat());
        assert_eq!(ended.code, 2, "{command:?}: {ended:?}");
        let said = ended.stderr.clone() + &ended.stdout;
        assert!(said.contains("campaigns is a folder: name the ledger's file in it"), "{command:?}: {said}");
    }
    let with_folder = recall("[calling]\nconsent = \"on_file\"\n[vendor]\nkey_file = \"lists\"\n")
        .replace("+13125550142", "+13125550242")
        .replace("+13125550100", "+13125550200");
    let practice = Practice::with(&with_folder, LIST);
    let ended = practice.run(&["run", "campaigns/recall.toml", "--yes"]);
    refused(&ended, 2, &["the key file is a folder, not a file"]);
}

/// A program that has begun to work.
#[test]
fn a_program_that_holds_keys_and_patients_dumps_no_core() {
    let practice = Practice::with(&campaign(""), LIST);
    let vendor = crate::vendor::Vendor::start(&practice, "1", &[]);
    let limits = fs::read_to_string(format!("/proc/{}/limits", vendor.id())).expect("its limits");
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).expect("a line");
    assert_eq!(core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"], "{core}");
}

#[test]
fn what_is_no_ledger_is_left_as_it_is_whatever_it_is() {
    let practice = Practice::with(&campaign(""), LIST);
    for (ledger, code, says) in [
        ("/dev/null", 7, "no ordinary file"),
        ("campaigns/recall.csv", 7, "is not a ledger"),
        ("campaigns/recall.toml", 7, "is not a ledger"),
    ] {
        for command in [&RUN[..], &["status"], &["doctor", "campaigns/recall.toml"]] {
            let ended = practice.run(&[command, &["--ledger", ledger]].concat());
            let said = ended.stderr.clone() + &ended.stdout;
            assert!(ended.code == code && said.contains(says) && !said.contains("chmod"), "{ledger}: {ended:?}");
        }
        assert!(!practice.path(&format!("{ledger}.lock")).exists(), "{ledger}");
    }
    assert_eq!(practice.read("campaigns/recall.csv"), LIST);
}

#[test]
fn a_report_takes_the_place_of_nothing_that_a_ledger_needs() {
    let practice = Practice::with(&campaign(""), LIST);
    assert_eq!(practice.run(&RUN).code, 0);
    for suffix in ["", "-wal", ".lock", ".high-water"] {
        let out = format!("campaigns/callrounds.db{suffix}");
        let before = fs::read(practice.path(&out)).ok();
        refused(&practice.run(&["report", "--ledger", "campaigns/callrounds.db", "--out", &out]), 2, &["a database"]);
        assert_eq!(fs::read(practice.path(&out)).ok(), before, "{out}");
    }
}
