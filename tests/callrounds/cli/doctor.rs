//! `doctor` and `init`.

use std::io::{Read, Write};

use serde_json::Value;

use crate::support::harness::{Practice, ProgramOutput, recall};
use crate::support::vendor::Vendor;

fn practice() -> Practice {
    let rest = "[calling]\nconsent = \"on_file\"\n[vendor]\nkind = \"annie\"\nrehearsal = true\n";
    Practice::with(&recall(rest), "patient_id,first_name,phone\n1,Ana,773-555-0110\n")
}

const DOCTOR: [&str; 2] = ["doctor", "campaigns/recall.toml"];

fn with_key(practice: &Practice, base_url: &str, key: &str, arguments: &[&str]) -> ProgramOutput {
    let mut command = practice.command(arguments);
    command.env("ANNIE_BASE_URL", base_url).env("ANNIE_API_KEY", key);
    ProgramOutput::new(&command.output().expect("the program"))
}

#[test]
fn a_sound_setup_is_reported_line_by_line_and_nobody_is_called() {
    let practice = practice();
    let vendor = Vendor::start(&practice, "60", &["--api-key", "good", "--from-number", "+13125550142"]);
    let ended = with_key(&practice, &vendor.base_url, "good", &DOCTOR);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{ended:?}");
    let expected = [
        format!("ok    credentials  accepted by {}\n", vendor.base_url),
        "ok    from-number  +13125550142 may call\n".into(),
        format!("ok    time zones   {}, built in\n", callrounds::zone::database_version()),
        "ok    ledger       none yet at ".into(),
    ];
    let (clock, others): (Vec<_>, Vec<_>) = ended.stdout.split_inclusive('\n').partition(|line| line.contains("clock"));
    assert!(others.concat().starts_with(&expected.concat()), "{}", ended.stdout);
    assert!(clock.concat().contains("off the simulated vendor's clock"), "{}", ended.stdout);
    assert!(!practice.path("campaigns/callrounds.db").exists(), "doctor writes nothing");

    let without = with_key(&practice, &vendor.base_url, "good", &["doctor", "--json"]);
    let found: Value = serde_json::from_str(&without.stdout).expect("a document");
    let whats: Vec<_> =
        found["findings"].as_array().expect("findings").iter().map(|one| one["what"].as_str()).collect();
    assert_eq!((without.code, whats), (0, ["credentials", "clock", "time zones", "ledger", "disk"].map(Some).to_vec()));
    assert!(vendor.calls().is_empty());
}

#[test]
fn each_problem_that_would_stop_a_run_is_reported_with_its_exit_code_and_a_way_out() {
    let practice = practice();
    let vendor = Vendor::start(&practice, "60", &["--api-key", "good", "--from-number", "+13125550149"]);
    let check = |ended: &ProgramOutput, code: i32, line: &str| {
        assert_eq!(ended.code, code, "{ended:?}");
        assert!(ended.stdout.contains(line), "{line}: {}", ended.stdout);
    };
    let wrong_key = with_key(&practice, &vendor.base_url, "bad", &DOCTOR);
    check(&wrong_key, 6, "FIX   credentials  not accepted by http://127.0.0.1:");
    check(&wrong_key, 6, "check ANNIE_API_KEY");
    let wrong_number = with_key(&practice, &vendor.base_url, "good", &DOCTOR);
    check(&wrong_number, 6, "FIX   from-number  +13125550142 may not call: attach [practice] from_number");
    let no_server = with_key(&practice, "http://127.0.0.1:9/v1", "good", &DOCTOR);
    check(
        &no_server,
        4,
        "FIX   vendor       no connection to the vendor (http://127.0.0.1:9/v1): look at this machine's network",
    );
    check(&practice.run(&["doctor"]), 2, "FIX   credentials  no credentials: set ANNIE_API_KEY");

    practice.write("campaigns/callrounds.db", &"no ledger at all ".repeat(1_000));
    let damaged = with_key(&practice, &vendor.base_url, "bad", &DOCTOR);
    check(&damaged, 7, "FIX   ledger       ");
}

/// Starts a server that gives every request this response; returns its base URL.
fn answering(status: &'static str, body: &'static str) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            // The request's content does not matter.
            let _ = stream.read(&mut [0; 4096]);
            let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
            let _ = stream.write_all((head + body).as_bytes());
        }
    });
    format!("http://{address}/v1")
}

#[test]
fn an_outage_is_reported_with_its_kind() {
    for (status, body, code, expected) in [
        ("404 Not Found", "{}", 6, "FIX   credentials  nothing at the API's address answers like Annie (status 404) ("),
        (
            "200 OK",
            "<!doctype html><title>Sign in</title>",
            4,
            "FIX   vendor       a web page answers in the vendor's place (",
        ),
        ("503 Service Unavailable", "", 4, "FIX   vendor       the vendor does not answer as it should ("),
        ("200 OK", "", 4, "FIX   vendor       the vendor does not answer as it should ("),
        ("403 Forbidden", "<html>blocked</html>", 4, "FIX   vendor       a web page answers in the vendor's place ("),
    ] {
        let ended = with_key(&practice(), &answering(status, body), "good", &DOCTOR);
        assert!(ended.code == code && ended.stdout.contains(expected), "{expected}: {ended:?}");
    }
}

#[test]
fn a_simulated_campaign_needs_no_credentials() {
    let practice = Practice::new();
    let ended = practice.run(&["doctor", "campaigns/demo-recall.toml"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.stdout.starts_with("ok    vendor       the simulator in this program"), "{}", ended.stdout);
}

#[test]
fn a_campaign_to_start_from_is_written_once_and_can_be_checked() {
    let practice = Practice::new();
    for (purpose, file) in [("recall", "recall.toml"), ("reminder", "reminder.toml"), ("follow_up", "follow-up.toml")] {
        let ended = practice.run(&["init", "--purpose", purpose]);
        assert_eq!(ended.code, 0, "{ended:?}");
        assert!(ended.stderr.contains(&format!("callrounds check {file} --list EXPORT.csv")), "{ended:?}");
        let written = practice.read(file);
        assert_eq!(written, practice.read(&format!("campaigns/{file}")).replace("campaigns/", ""));
        assert!(!written.contains("campaigns/"));
    }
    let again = practice.run(&["init"]);
    assert_eq!(again.code, 2, "{again:?}");
    assert!(again.stderr.contains("recall.toml exists and was not changed"), "{again:?}");
    practice.write("list.csv", "patient_id,first_name,phone,due\n1,Ana,773-555-0110,2026-11-01\n");
    let check = || practice.run(&["check", "recall.toml", "--list", "list.csv"]);
    let unchanged = check();
    assert_eq!(unchanged.code, 2, "{unchanged:?}");
    assert!(unchanged.stderr.contains("the campaign file has placeholders"), "{unchanged:?}");
    assert!(
        unchanged.stderr.contains("1 of 1 rows cannot be used"),
        "the list is looked at all the same: {unchanged:?}"
    );
    practice.write("ring.csv", "patient_id,first_name,ring,due\n1,Ana,773-555-0110,2026-11-01\n");
    let other = practice.run(&["check", "recall.toml", "--list", "ring.csv"]);
    let both = ["error: no column of the list is known to be phone", "error: the campaign file has placeholders"];
    assert!(other.code == 2 && both.iter().all(|error| other.stderr.contains(error)), "{other:?}");
    practice.write("recall.toml", &practice.read("recall.toml").replace("kind = \"annie\"", "kind = \"simulator\""));
    let checked = check();
    assert_eq!(checked.code, 0, "{checked:?}");
}

#[test]
fn a_folder_that_cannot_be_written_to_is_reported() {
    let practice = practice();
    let vendor = Vendor::start(&practice, "60", &["--api-key", "good"]);
    let good = with_key(&practice, &vendor.base_url, "good", &DOCTOR);
    assert!(good.code == 0 && good.stdout.contains("ok    disk         writable, "), "{good:?}");
    // Not even root can create a file in these.
    for nowhere in ["nowhere/callrounds.db", "/proc/callrounds.db"] {
        let ended = with_key(&practice, &vendor.base_url, "good", &[&DOCTOR[..], &["--ledger", nowhere]].concat());
        assert_eq!(ended.code, 7, "{ended:?}");
        assert!(ended.stdout.contains("FIX   disk         nothing can be written in "), "{ended:?}");
    }
}
