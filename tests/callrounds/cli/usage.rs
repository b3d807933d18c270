//! Commands that fail: the exit code, and the message, which must tell a practice's operator what is wrong, where, and what
//! to do. The snapshots keep each message as it is printed.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant, SystemTime};

use callrounds::clock::{Clock, WallClock};
use insta::assert_snapshot;

use crate::support::harness::{Practice, ProgramOutput, recall};
use crate::support::oracle;
use crate::support::vendor::{MORNING, Vendor};

/// A campaign of three patients, and its vendor.
fn campaign(vendor: &str) -> String {
    recall(&format!(
        r#"[calling]
consent = "on_file"
[redial]
max_attempts = 1
[vendor]
{vendor}
"#
    ))
}

const LIST: &str = "patient_id,first_name,phone\n1,Ana,773-555-0110\n2,Bo,773-555-0111\n3,Li,773-555-0112\n";
const RUN: [&str; 2] = ["run", "campaigns/recall.toml"];
const ANNIE: &str = "kind = \"annie\"";

/// For a simulator in another process.
const REHEARSAL: &str = "kind = \"annie\"\nrehearsal = true";

fn simulated() -> String {
    campaign(&format!("kind = \"simulator\"\nstart = \"{MORNING}\"\nspeed = 600"))
}

/// Standard error, with the test's directory replaced by `DIR`.
fn message(practice: &Practice, ended: &ProgramOutput) -> String {
    let folder = practice.folder().canonicalize().expect("a path").display().to_string();
    ended.stderr.replace(&folder, "DIR").replace(&practice.folder().display().to_string(), "DIR")
}

/// Runs a command that ends with `code` and nothing on standard output; returns its message.
fn refused(practice: &Practice, arguments: &[&str], code: i32) -> String {
    let ended = practice.run(arguments);
    assert_eq!((ended.code, ended.stdout.as_str()), (code, ""), "{arguments:?}: {ended:?}");
    message(practice, &ended)
}

fn nothing_was_sent(practice: &Practice) {
    assert_eq!(oracle::embedded_calls(practice).len(), 0);
    assert!(!practice.path("campaigns/callrounds.db").exists(), "a ledger was made for nothing");
}

#[test]
fn wrong_arguments() {
    let practice = Practice::with(&simulated(), LIST);
    assert_snapshot!(refused(&practice, &["run", "campaigns/recall.toml", "--lst", "recall.csv"], 2), @"
    error: unexpected argument '--lst' found

      tip: a similar argument exists: '--list'

    Usage: callrounds run --list <FILE> <CAMPAIGN>

    For more information, try '--help'.
    ");
    assert_snapshot!(refused(&practice, &["run", "campaigns/recal.toml"], 2), @"error: there is no campaign file at campaigns/recal.toml; did you mean campaigns/recall.toml?");
    assert_snapshot!(refused(&practice, &["outcomes", "apply", "else"], 2), @"error: there is no campaign file at else; `callrounds init` writes one to start from");
    assert_snapshot!(refused(&practice, &["run", "campaigns/recall.toml", "--at", "tomorrow"], 2), @"
    error: invalid value 'tomorrow' for '--at <INSTANT>': not an instant, such as 2026-11-24T15:00:00Z

    For more information, try '--help'.
    ");
    assert_snapshot!(refused(&practice, &["status"], 2), @"error: there is no ledger at campaigns/callrounds.db; name one with --ledger FILE, or start with `callrounds run CAMPAIGN`");
    assert_snapshot!(refused(&practice, &["status", "campaigns/recall.toml"], 2), @"
    error: invalid value 'campaigns/recall.toml' for '[RUN]': not a run's number, such as 3; a campaign is named with --campaign

    For more information, try '--help'.
    ");
    assert_snapshot!(refused(&practice, &["resolve", "Pat", "--not-placed"], 2), @"
    error: invalid value 'Pat' for '[ENTRY]...': not a number of the report's first column, such as 12

    For more information, try '--help'.
    ");
    assert_snapshot!(refused(&practice, &["simulate", "--fault", "reset=0.1"], 2), @"error: unknown fault kind; known are refuse, reset-before, reset-after, 500-before, 500-after, 502, 503, 504, timeout-after, truncated, bad-json, id-missing, slow-body, 429, 307, 303, big-body");
    nothing_was_sent(&practice);
}

#[test]
fn every_problem_of_a_campaign_file_is_shown_at_once_in_its_place() {
    let wrong = simulated()
        .replace("purpose = \"recall\"", "purpos = \"recall\"")
        .replace("America/Chicago", "America/Chicgo")
        .replace("+13125550142", "312-555-014")
        .replace("max_attempts = 1", "max_attempts = 0\nmin_gap = \"3 days or so\"")
        .replace("[calling]\n", "[calling]\nwindow = \"17:00-09:30\"\n");
    let practice = Practice::with(&wrong, LIST);
    for command in ["check", "run"] {
        let text = refused(&practice, &[command, "campaigns/recall.toml"], 2);
        if command == "check" {
            assert_snapshot!(text, @r#"
            error: campaigns/recall.toml has 7 problems; nothing was sent

              × `purpose` is missing
               ╭─[campaigns/recall.toml:1:1]
             1 │ name = "recall"
               · ▲
             2 │ purpos = "recall"
               ╰────
              help: add the line: purpose = "recall" (or "reminder", "follow_up")
              × there is no key `purpos` at the top of the file
               ╭─[campaigns/recall.toml:2:1]
             1 │ name = "recall"
             2 │ purpos = "recall"
               · ──────
             3 │ [practice]
               ╰────
              help: did you mean `purpose`?
              × `timezone` must be an IANA time zone such as "America/Chicago", not "America/Chicgo"
               ╭─[campaigns/recall.toml:5:12]
             4 │ name = "Bright Smile Dental"
             5 │ timezone = "America/Chicgo"
               ·            ────────────────
             6 │ from_number = "312-555-014"
               ╰────
              × `from_number` must be a phone number such as "+13125550142", not "312-555-014"
               ╭─[campaigns/recall.toml:6:15]
             5 │ timezone = "America/Chicgo"
             6 │ from_number = "312-555-014"
               ·               ─────────────
             7 │ callback_number = "+13125550100"
               ╰────
              × `window` must be the hours of a day such as "09:30-17:00", not "17:00-09:30"
                ╭─[campaigns/recall.toml:12:10]
             11 │ [calling]
             12 │ window = "17:00-09:30"
                ·          ─────────────
             13 │ consent = "on_file"
                ╰────
              × `max_attempts` must be a whole number, 1 or more, not 0
                ╭─[campaigns/recall.toml:15:16]
             14 │ [redial]
             15 │ max_attempts = 0
                ·                ─
             16 │ min_gap = "3 days or so"
                ╰────
              × `min_gap` must be a duration such as "72h", not "3 days or so"
                ╭─[campaigns/recall.toml:16:11]
             15 │ max_attempts = 0
             16 │ min_gap = "3 days or so"
                ·           ──────────────
             17 │ [vendor]
                ╰────
            "#);
        }
        for problem in ["purpos", "Chicgo", "from_number", "max_attempts", "min_gap", "window"] {
            assert!(text.contains(problem), "{command} does not show {problem}: {text}");
        }
    }
    nothing_was_sent(&practice);
}

#[test]
fn a_live_run_travels_no_time_and_asks_before_it_dials() {
    let live = campaign(ANNIE).replace("+13125550142", "+13125550242").replace("+13125550100", "+13125550200");
    let practice = Practice::with(&live, LIST);
    // An unresolvable name, in case the program tries to connect.
    let nowhere = "https://annie.invalid/v1";
    let cases = [["--at", MORNING], ["--speed", "60"]];
    for case in cases {
        let ended = practice.run_against(nowhere, &[RUN.as_slice(), &["--yes"], &case].concat());
        assert_eq!(ended.code, 2, "{ended:?}");
        let text = message(&practice, &ended);
        assert!(text.contains("live calls are placed in real time"), "{text}");
        assert_eq!(ended.stdout, "");
    }
    let since = Instant::now();
    let ended = practice.run_against(nowhere, &RUN);
    assert_eq!(ended.code, 2, "{ended:?}");
    assert_snapshot!(message(&practice, &ended), @"error: this would place live calls, and standard input is not a terminal on which to confirm them: add --yes");
    assert!(since.elapsed() < Duration::from_secs(3), "it tried to connect");
}

#[test]
fn a_starting_point_that_nobody_has_filled_in_dials_nobody() {
    let practice = Practice::with(&campaign(ANNIE), LIST);
    let text = refused(&practice, &[RUN.as_slice(), &["--yes"]].concat(), 2);
    assert_snapshot!(text, @r#"
    error: the campaign file has placeholders:
      practice.from_number is a 555-01xx number, which cannot call
      practice.callback_number is a 555-01xx number, which reaches nobody
    replace them with the practice's own values, or try the campaign out with `run --rehearse`
    "#);
    let simulator =
        practice.command(&RUN).env("ANNIE_BASE_URL", "https://annie.invalid/v1").output().expect("the program");
    assert_eq!(simulator.status.code(), Some(2));
    nothing_was_sent(&practice);
}

#[test]
fn a_list_that_cannot_be_used_is_refused_whole() {
    let no_phone = Practice::with(&simulated(), "patient_id,first_name,ring\n1,Ana,773-555-0110\n");
    assert_snapshot!(refused(&no_phone, &RUN, 3), @r#"
    error: no column of the list is known to be phone; it has `patient_id`, `first_name`, `ring`. If one of them is, add to the campaign file:

        [list]
        columns = { phone = "NAME OF THE COLUMN" }

    nothing was sent
    "#);
    assert_snapshot!(refused(&no_phone, &["check", "campaigns/recall.toml"], 3), @r#"
    error: no column of the list is known to be phone; it has `patient_id`, `first_name`, `ring`. If one of them is, add to the campaign file:

        [list]
        columns = { phone = "NAME OF THE COLUMN" }

    nothing was sent
    "#);

    let bad_rows =
        Practice::with(&simulated(), "patient_id,first_name,phone\n1,Ana,773-555-0110\n2,Bo,773\n3,,773-555-0112\n");
    assert_snapshot!(refused(&bad_rows, &RUN, 3), @"
    error: 2 of 3 rows cannot be used, more than the campaign's max_reject_rate of 20 %; mostly: phone: too short. Look at the mapping of the columns, or raise max_reject_rate under [list]; nothing was sent
    2 rows of the list were rejected; the reasons are in DIR/campaigns/recall.rejects.csv
    ");

    let missing = Practice::with(&simulated(), LIST);
    fs::remove_file(missing.path("campaigns/recall.csv")).expect("removed");
    assert_snapshot!(refused(&missing, &RUN, 3), @"error: there is no list at DIR/campaigns/recall.csv; nothing was sent");

    // The age of a list is checked only in real time, not with a simulated clock.
    let old = Practice::with(&campaign(REHEARSAL).replace("3650d", "24h"), LIST);
    let list = fs::File::options().append(true).open(old.path("campaigns/recall.csv")).expect("the list");
    list.set_modified(SystemTime::UNIX_EPOCH + Duration::from_hours(24 * 365 * 50)).expect("its age");
    let now = WallClock.now().to_rfc3339();
    let vendor = Vendor::start_at(&now, &old, "1", &[]);
    let ended = old.run_against(&vendor.base_url, &RUN);
    assert_eq!(ended.code, 3, "{ended:?}");
    assert!(ended.stderr.contains("and the campaign takes none older than 24 hours"), "{}", ended.stderr);
    assert_eq!(vendor.calls().len(), 0);

    for practice in [&no_phone, &bad_rows, &missing] {
        assert_eq!(oracle::embedded_calls(practice).len(), 0);
    }
}

#[test]
fn a_ledger_in_use_is_named_with_its_holder_at_once() {
    let practice = Practice::with(&campaign(REHEARSAL), LIST);
    // Answers take ten seconds, so that the first run is still running.
    let vendor = Vendor::start(&practice, "1", &["--latency", "10000"]);
    let run = ["run", "campaigns/recall.toml", "--json", "--at", MORNING, "--speed", "1"];
    let first = practice.start_until(1, &run, Some(&vendor.base_url));
    for command in [run.as_slice(), &["resume", "--at", MORNING]] {
        let since = Instant::now();
        let second = practice.run_against(&vendor.base_url, command);
        assert!(since.elapsed() < Duration::from_secs(2), "{:?}", since.elapsed());
        assert_eq!((second.code, second.stdout.as_str()), (7, ""), "{second:?}");
        let holder = format!("in use by process {}", first.id());
        assert!(second.stderr.contains(&holder), "{}", second.stderr);
    }
    // Readers work during the run.
    for command in ["status", "report"] {
        let ended = practice.run(&[command]);
        assert_eq!(ended.code, 0, "{ended:?}");
    }
    first.kill();
}

#[test]
fn a_ledger_that_is_not_ours_to_use_is_left_alone() {
    let practice = Practice::with(&simulated(), LIST);
    let ledger = practice.path("campaigns/callrounds.db");
    let private = |mode| fs::set_permissions(&ledger, Permissions::from_mode(mode)).expect("a mode");

    fs::write(&ledger, "this is no ledger, it is a text that somebody put here ".repeat(100)).expect("written");
    private(0o600);
    assert_snapshot!(refused(&practice, &RUN, 7), @"error: DIR/campaigns/callrounds.db is not a ledger of callrounds; it was not changed: name another file with --ledger FILE, or restore the last backup");
    assert_snapshot!(refused(&practice, &["status"], 7), @"error: campaigns/callrounds.db is not a ledger of callrounds; it was not changed: name another file with --ledger FILE, or restore the last backup");
    assert!(fs::read_to_string(&ledger).expect("as it was").starts_with("this is no ledger"));
    fs::remove_file(&ledger).expect("removed");

    assert_eq!(practice.run(&RUN).code, 0);
    private(0o644);
    assert_snapshot!(refused(&practice, &RUN, 7), @"error: the ledger can be read by other users of this machine; patients' data is in it: chmod 600 DIR/campaigns/callrounds.db");
    assert_snapshot!(refused(&practice, &["status"], 7), @"error: the ledger can be read by other users of this machine; patients' data is in it: chmod 600 campaigns/callrounds.db");
    private(0o600);

    let format = practice.count("PRAGMA user_version");
    practice.ledger().pragma_update(None, "user_version", 999).expect("a version");
    for command in [RUN.as_slice(), &["report"]] {
        let text = refused(&practice, command, 7).replace(&format!("knows {format})"), "knows FORMAT)");
        let other = "the ledger was made by another version of callrounds (format 999, this one knows FORMAT); use that version";
        assert!(text.contains(other), "{text}");
    }
    practice.ledger().pragma_update(None, "user_version", format).expect("a version");
    assert_eq!(practice.run(&RUN).code, 0, "it was not left as it was");
}

#[test]
fn a_copied_ledger_places_no_call_until_it_is_adopted() {
    let practice = Practice::with(&simulated(), LIST);
    assert_eq!(practice.run(&RUN).code, 0);
    let (ledger, copy) = (practice.path("campaigns/callrounds.db"), practice.path("campaigns/copy.db"));
    fs::copy(&ledger, &copy).expect("copied");
    fs::rename(&copy, &ledger).expect("put in its place");
    let text = refused(&practice, &RUN, 7);
    assert!(text.contains("is a copy") && text.contains("callrounds ledger adopt --ledger"), "{text}");
    assert_eq!(practice.run(&["status"]).code, 0, "it can be read");
    let adopted = practice.run(&["ledger", "adopt"]);
    assert_eq!(adopted.code, 0, "{adopted:?}");
    assert_eq!(practice.run(&RUN).code, 0, "it is now the authoritative ledger");
}

#[test]
fn a_database_of_another_program_is_left_alone() {
    let practice = Practice::with(&simulated(), LIST);
    practice.ledger().execute_batch("CREATE TABLE theirs (id INTEGER)").expect("a table");
    let ledger = practice.path("campaigns/callrounds.db");
    fs::set_permissions(&ledger, Permissions::from_mode(0o600)).expect("a mode");
    assert_snapshot!(refused(&practice, &RUN, 7), @"error: DIR/campaigns/callrounds.db is not a ledger of callrounds; it was not changed: name another file with --ledger FILE, or restore the last backup");
    assert_eq!(practice.count("SELECT count(*) FROM sqlite_schema"), 1, "tables were added to it");
}

/// The pace of both clocks: a call lasts seconds, and the five minutes that `against` allows are a quarter of a minute.
const SPEED: &str = "20";

/// Runs the campaign at this instant against a vendor with `options`; returns standard error without the lines that vary.
fn against(options: &[&str], campaign: &str, at: &str, code: i32, calls: usize) -> String {
    let practice = Practice::with(campaign, LIST);
    let vendor = Vendor::start(&practice, SPEED, options);
    let ended = practice.run_against(&vendor.base_url, &[RUN.as_slice(), &["--at", at, "--speed", SPEED]].concat());
    assert_eq!((ended.code, vendor.calls().len()), (code, calls), "{options:?}: {ended:?}");
    // Times and request counts differ from run to run.
    let is_stable =
        |line: &&str| !line.contains(" · ") && !["requests", "when"].iter().any(|it| line.trim_start().starts_with(it));
    let text =
        message(&practice, &ended).lines().filter(is_stable).fold(String::new(), |text, line| text + line + "\n");
    // What is due now is called a few minutes after the run began.
    (31..=35).fold(text, |text, minute| text.replace(&format!("2026-11-24 09:{minute}"), "2026-11-24 09:30"))
}

#[test]
fn a_vendor_that_does_not_accept_us_ends_the_run() {
    assert_snapshot!(against(&["--api-key", "annie-sk-v1-another"], &campaign(REHEARSAL), MORNING, 6, 0), @"
    no further calls: the vendor does not accept our credentials; waiting for answers under way
    recall, run 1: stopped, the vendor refused us
      why           the vendor does not accept our credentials
      list          3 rows = 3 accepted + 0 rejected + 0 duplicate + 0 merged
      patients      3 ready to call
      calls         none placed by this run
      next          3 left to finish: run again; the next call is due on
                    Tue 2026-11-24 09:30
    error: the vendor does not accept our credentials; no further call was placed: check ANNIE_API_KEY, ANNIE_CLIENT_ID and ANNIE_CLIENT_SECRET, or the campaign's key file, then run again
    ");
    assert_snapshot!(against(&["--from-number", "+13125550199"], &campaign(REHEARSAL), MORNING, 6, 0), @"
    no further calls: the vendor does not let our caller id (from_number) call; waiting for answers under way
    recall, run 1: stopped, the vendor refused us
      why           the vendor does not let our caller id (from_number) call
      list          3 rows = 3 accepted + 0 rejected + 0 duplicate + 0 merged
      patients      3 ready to call
      calls         none placed by this run
      next          3 left to finish: run again; the next call is due on
                    Tue 2026-11-24 09:30
    error: the vendor does not let our caller id (from_number) call; no further call was placed: attach [practice] from_number to an outbound bot in Annie, or name one that is attached, then run again
    ");
}

#[test]
fn a_run_that_has_to_stop_early_says_when_to_go_on() {
    let evening = "2026-11-24T23:30:00Z";
    assert_snapshot!(against(&[], &campaign(REHEARSAL), evening, 4, 0), @"
    recall, run 1: stopped, the calling window is closed
      list          3 rows = 3 accepted + 0 rejected + 0 duplicate + 0 merged
      patients      3 ready to call
      calls         none placed by this run
      next          3 left to finish: run again; the next call is due on
                    Wed 2026-11-25 09:30
    ");
    let limited = campaign(REHEARSAL).replace("[vendor]", "[safety]\nmax_calls = 1\n[vendor]");
    assert_snapshot!(against(&[], &limited, MORNING, 4, 1), @"
    no further calls: as many calls were placed as max_calls allows (1); waiting for answers under way
    recall, run 1: stopped, as many calls as max_calls allows were placed
      list          3 rows = 3 accepted + 0 rejected + 0 duplicate + 0 merged
      patients      2 ready to call, 1 finished
      outcomes      1 × left a voicemail
      calls         1 placed by this run, all of them over
                    outcomes of this run: 1 × left a voicemail
      next          2 left to finish: run again; the next call is due on
                    Tue 2026-11-24 09:30
    ");
}

#[test]
fn help_lists_every_command_and_exit_code() {
    let practice = Practice::new();
    let ended = practice.run(&["--help"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    assert_snapshot!(ended.stdout, @"
    Places a practice's calls through the Annie voice API: each call at most once, within every calling
    rule

    Usage: callrounds [OPTIONS] <COMMAND>

    Commands:
      run          Enrol the list, then place and follow calls; run the same command again to continue
      check        Validate campaign and list without network access, and show what a run would do
      resume       Continue an unfinished run from the ledger alone
      runs         List the runs: when they were, how each ended, and their campaigns' present state
      status       Show a run's progress: its patients by state and outcome
      report       Report the outcome of each patient
      explain      Show the history of one patient, with the reasons
      suppress     Manage the suppression list (do not call) of all campaigns on the ledger
      resolve      Show the patients whose call was refused, is held for a person, or has an unknown
                   outcome, and decide about them
      review       Show conversations that may contain an opt-out, or say that the patient has died, and
                   decide about them
      outcomes     Show what the bot's conversations carry and what the outcome rules take it for;
                   suggest and apply rules
      transcript   Show what was said in a patient's conversation; nothing of it is kept
      worklist     Show what the front desk has to do, and tick it off
      writeback    Write the calls to a file for the practice's own software; nothing is sent
      pause        Pause a campaign: no run of it places a call until it is resumed
      cancel       Cancel a campaign or a run's list: its patients are not called any more
      ledger       Maintain the ledger: adopt a restored copy, verify, purge, back up
      doctor       Check credentials, caller ids, clock and ledger; calls nobody
      init         Write a campaign file as a starting point
      simulate     Run the simulated vendor as a separate server
      schema       Print the JSON Schema of a format
      completions  Print a completion script
      help         Print this message or the help of the given subcommand(s)

    Options:
          --ledger <FILE>  The ledger [default: callrounds.db next to the campaign]
          --json           Data as JSON on standard output; for `run` and `resume`, events as JSON lines
      -q, --quiet          Write only errors to standard error
      -v, --verbose...     Log every event; given twice, log every request too
      -h, --help           Print help
      -V, --version        Print version

    Exit codes: 0 nothing due is left · 1 internal error · 2 usage or campaign error · 3 list refused ·
    4 due work left, run again · 5 some patients need a person · 6 the vendor refused the credentials,
    the caller id, the account or three patients in a row, or nothing at the API's address is the API ·
    7 ledger locked, damaged, full, behind the calls placed with it, with events dated in the future, or
    of the other kind (live or rehearsal) · 8 the vendor's list of calls cannot show whether the ledger
    is complete; nobody was called
    ");
}
