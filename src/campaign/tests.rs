//! Whole files: those that load, and the problems reported about those that do not.

use std::path::{Path, PathBuf};

use chrono::TimeDelta;
use minijinja::{Value, context};

use super::*;
use crate::entry::{Outcome, OutcomeSignals, RuleName};
use crate::fixtures::REQUIRED;
use crate::template::Template;

fn loaded(text: &str) -> Result<Campaign, Diagnostics> {
    load(text, "c.toml", PathBuf::from("/practice"), SafetyOverrides::default())
}

fn good(text: &str) -> Campaign {
    loaded(text).unwrap_or_else(|problems| panic!("{}", problems.drawn(false)))
}

/// The problems of what is required and `text` below it, each as one line.
fn lines(text: &str) -> Vec<String> {
    match loaded(text) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.lines().collect(),
    }
}

/// Checks that `text`, below what is required, has one problem that says `message`, points at `at` and helps with
/// `help`.
fn check(text: &str, at: &str, message: &str, help: &str) {
    let text = format!("{REQUIRED}{text}");
    let problems = loaded(&text).expect_err(&text);
    let found: Vec<_> = problems.iter().collect();
    let [problem] = found.as_slice() else { panic!("one problem in {text}: {problems}") };
    assert!(problem.message.contains(message), "{text}: {}", problem.message);
    assert_eq!(&text[problem.span.clone()], at, "{text}: {problem:?}");
    assert!(problem.help.as_deref().unwrap_or_default().contains(help), "{text}: {:?}", problem.help);
}

#[test]
fn the_five_required_keys_are_enough() {
    for (purpose, attempts, age) in [("recall", 3, 7 * 24), ("reminder", 2, 24), ("follow_up", 2, 48)] {
        let campaign = good(&REQUIRED.replace("purpose = \"recall\"", &format!("purpose = \"{purpose}\"")));
        assert_eq!(campaign.redial.max_attempts, attempts, "{purpose}");
        assert_eq!(campaign.list.max_list_age, TimeDelta::hours(age), "{purpose}");
        assert_eq!(campaign.practice.callback_number, campaign.practice.from_number);
        assert_eq!(campaign.calling.consent, None);
    }
}

#[test]
fn what_is_required_is_asked_for_with_the_line_to_add() {
    let found = lines("[practice]\nname = \"Bright Smile Dental\"\n");
    assert_eq!(
        found,
        [
            "c.toml:1:1: `name` is missing (add the line: name = \"six-month-recall\")",
            "c.toml:1:1: `purpose` is missing (add the line: purpose = \"recall\" (or \"reminder\", \"follow_up\"))",
            "c.toml:1:1: `practice.timezone` is missing (add the line: timezone = \"America/Chicago\")",
            "c.toml:1:1: `practice.from_number` is missing (add the line: from_number = \"+13125550142\")",
        ]
    );
    assert_eq!(lines("").len(), 3, "name, purpose and the whole of [practice]");
}

#[test]
fn a_file_is_laid_over_its_purposes_defaults_key_by_key() {
    let campaign = good(&format!(
        "{}[redial]\nmax_attempts = 1\n[safety]\nstop_on = {{ error_rate = 0.5 }}\n[calling.caps]\nper_7_days = 2\n",
        REQUIRED.replace("recall\"\n[", "reminder\"\n[")
    ));
    assert_eq!(campaign.redial.max_attempts, 1);
    assert_eq!(campaign.redial.stop_before_appointment, Some(TimeDelta::hours(2)));
    assert_eq!(campaign.redial.after, [Outcome::NoAnswer, Outcome::Busy]);
    assert_eq!(campaign.safety.stop_on.error_rate, Some(0.5));
    assert_eq!(campaign.safety.stop_on.opt_out_rate, Some(0.2));
    assert_eq!((campaign.calling.caps.per_7_days, campaign.calling.caps.per_30_days), (2, 6));
}

#[test]
fn everything_that_is_wrong_is_reported_at_once_in_the_order_of_the_file() {
    let text = r#"
nmae = "x"
purpose = "recal"
max_attempts = 2
[practice]
name = ""
timezone = "Chicago"
from_number = 13125550142
[message]
context = "é {{ first_name | uper }} {{ practice.phone }}"
[calling]
window = "9-17"
days = ["mon", "funday"]
[redial]
max_attempts = 0
[safety]
settle = "60s"
"#;
    insta::assert_snapshot!(lines(text).join("\n"), @r#"
    c.toml:1:1: `name` is missing (add the line: name = "six-month-recall")
    c.toml:2:1: there is no key `nmae` at the top of the file (did you mean `name`?)
    c.toml:3:11: `purpose` must be "recall", "reminder" or "follow_up", not "recal" (did you mean "recall"?)
    c.toml:4:1: there is no key `max_attempts` at the top of the file (`max_attempts` belongs in [redial])
    c.toml:6:8: `name` must be a text such as "Bright Smile Dental", not ""
    c.toml:7:12: `timezone` must be an IANA time zone such as "America/Chicago", not "Chicago"
    c.toml:8:15: `from_number` must be a phone number such as "+13125550142", not 13125550142 (put it in quotes)
    c.toml:10:30: `context`: there is no filter `uper` (did you mean `upper`?)
    c.toml:10:41: `context`: there is no `practice.phone` (`practice` has name, callback_number, timezone)
    c.toml:12:10: `window` must be the hours of a day such as "09:30-17:00", not "9-17"
    c.toml:13:16: `days` must be "mon", "tue", "wed", "thu", "fri", "sat" or "sun", not "funday"
    c.toml:15:16: `max_attempts` must be a whole number, 1 or more, not 0
    c.toml:17:10: `settle` is under 120s, so a call could be placed twice (a shorter one needs kind = "simulator" or rehearsal = true below [vendor], or `run --rehearse`)
    "#);
}

#[test]
fn a_syntax_error_is_reported_alone() {
    let found = lines("name = \"x\npurpose = 3\n[practice\n");
    assert!(!found.is_empty() && found.iter().all(|line| line.contains("not valid TOML")), "{found:?}");
    assert!(found[0].starts_with("c.toml:1:"), "{found:?}");
    assert_eq!(lines("\u{feff}x = \r\n").len(), 1);
    assert!(lines("name = \"a\"\nname = \"b\"\n")[0].contains("c.toml:2:1: not valid TOML: duplicate key"));
}

#[test]
fn an_unknown_key_is_told_where_it_belongs_or_what_it_meant() {
    check(
        "[redial]\nmax_attemps = 2\n",
        "max_attemps",
        "no key `max_attemps` in [redial]",
        "did you mean `max_attempts`?",
    );
    check("[rate]\nmax_calls = 2\n", "max_calls", "no key `max_calls` in [rate]", "`max_calls` belongs in [safety]");
    check("[rate]\npurpose = 2\n", "purpose", "no key", "`purpose` belongs at the top of the file");
    check("[safety.stop_on]\nrate = 1\n", "rate", "in [safety.stop_on]", "belongs at the top of the file");
    check("[reddial]\n", "reddial", "no key `reddial` at the top", "did you mean `redial`?");
    check("[rate]\nxyzzy = 2\n", "xyzzy", "no key `xyzzy`", "known here: requests_per_minute, open_calls");
}

#[test]
fn a_wrong_type_says_what_was_wanted() {
    check("[redial]\nmin_gap = 72\n", "72", "`min_gap` must be a duration such as \"72h\", not 72", "put it in quotes");
    check("[redial]\nmin_gap = \"72\"\n", "\"72\"", "not \"72\"", "");
    check("[list]\nkey = \"patient_id\"\n", "\"patient_id\"", "`key` must be a list in [ ]", "");
    check("[list]\ncolumns = { phone = 3 }\n", "3", "`phone` must be a text", "quotes");
    check("[calling]\nallow_wider = \"yes\"\n", "\"yes\"", "must be true or false", "");
    assert_eq!(
        lines(&REQUIRED.replacen("name", "redial = 3\nname", 1)),
        ["c.toml:1:10: `redial` must be a table, not 3"]
    );
}

#[test]
fn a_bad_value_says_what_is_good() {
    check("[calling.area_codes]\nTX = \"OH\"\n", "TX", "`TX` must be an area code such as \"312\"", "");
    check("[rate]\nopen_calls = 0\n", "0", "`open_calls` must be a whole number, 1 or more", "");
    check("[rate]\nrequests_per_minute = -1\n", "-1", "1 or more", "");
    check("[redial]\nmax_attempts = 99999999999\n", "99999999999", "1 or more", "");
    check("[list]\nmax_reject_rate = 1.5\n", "1.5", "a number from 0 to 1", "");
    check("[list]\nmax_reject_rate = nan\n", "nan", "a number from 0 to 1", "");
    check("[calling]\nwindow = \"17:00-09:30\"\n", "\"17:00-09:30\"", "the hours of a day such as \"09:30-17:00\"", "");
    check(
        "[calling]\npreset = \"vendor_safe\"\n",
        "\"vendor_safe\"",
        "must be \"vendor-safe\"",
        "did you mean \"vendor-safe\"?",
    );
    check("[redial]\nafter = [\"bussy\"]\n", "\"bussy\"", "must be \"booked\", ", "did you mean \"busy\"?");
    check("[vendor]\nkind = \"simulator\"\nspeed = 0\n", "0", "a number above 0", "");
    check("[vendor]\nkind = \"simulator\"\nfaults = [\"reset\"]\n", "\"reset\"", "a fault and its share", "");
    check("[vendor]\nkind = \"simulator\"\nstart = \"soon\"\n", "\"soon\"", "2026-11-24T15:00:00Z", "");
    check("[message]\nvoicemail = \" \"\n", "\" \"", "must be a message", "leave the key out");
}

#[test]
fn a_templates_problem_points_into_the_file() {
    check("[message]\ncontext = \"\"\"\n\\\"é\\\" {{ due | dat('%B') }}\"\"\"\n", "dat", "no filter `dat`", "`date`");
    check("[message]\ncontext = '{{ first_name'\n", "{{ first_name", "`context`: ", "");
    check("[message]\nvoicemail = 'a {{ practice.nmae }}'\n", "practice.nmae", "no `practice.nmae`", "`practice.name`");
    check(
        "[message]\ncontext = '{{ appointment.xyzzy }}'\n",
        "appointment.xyzzy",
        "no `ap",
        "has start, end, description, id",
    );
}

#[test]
fn hours_and_days_may_only_be_wider_if_that_is_said() {
    let wider = "[calling]\nwindow = \"08:00-17:00\"\ndays = [\"sun\"]\n";
    assert_eq!(lines(&format!("{REQUIRED}{wider}")).len(), 2);
    assert_eq!(lines(&format!("{REQUIRED}{wider}allow_wider = true\n")).len(), 0);
    check("[calling]\nwindow = \"09:00-20:01\"\n", "\"09:00-20:01\"", "legal hours, 09:00-20:00", "narrow it");
    check("[calling]\ndays = []\n", "[]", "nobody could ever be called", "");
    good(&format!("{REQUIRED}[calling]\npreset = \"canada\"\ndays = [\"sun\"]\nwindow = \"09:00-20:00\"\n"));
}

#[test]
fn caps_can_only_be_stricter_than_the_vendors() {
    for (cap, value) in [("min_gap", "\"23h\""), ("cool_down", "\"29d\""), ("per_7_days", "4"), ("per_30_days", "7")] {
        check(&format!("[calling.caps]\n{cap} = {value}\n"), value, "the vendor's own", "only be stricter");
    }
    check("[calling.caps]\nfailures_before_cool_down = 4\n", "4", "more than the vendor's own, 3", "");
    check("[calling.caps]\nfailed = []\n", "[]", "`failed` is empty", "caps can only be stricter");
    good(&format!("{REQUIRED}[calling.caps]\nmin_gap = \"48h\"\ncool_down = \"60d\"\nper_7_days = 1\n"));
}

#[test]
fn a_short_settle_time_needs_a_rehearsal() {
    let short = format!("{REQUIRED}[safety]\nsettle = \"119s\"\n");
    check("[safety]\nsettle = \"119s\"\n", "\"119s\"", "under 120s", "simulator");
    good(&format!("{short}[vendor]\nkind = \"simulator\"\n"));
    good(&format!("{short}[vendor]\nrehearsal = true\n"));
    check("[safety]\nsettle = \"119s\"\n[vendor]\nrehearsal = false\n", "\"119s\"", "under 120s", "rehearsal = true");
    let allowed = SafetyOverrides { short_settle: true };
    load(&short, "c.toml", PathBuf::new(), allowed).expect("allowed to rehearse");
    good(&short.replace("119s", "120s"));
}

#[test]
fn settings_that_cannot_be_meant_are_refused() {
    check("[vendor]\nseed = 3\n", "3", "this campaign calls people", "kind = \"simulator\"");
    check("[safety]\ncanary = 6\nmax_calls = 5\n", "6", "more than `max_calls`", "");
    check("[safety]\nmax_calls = 0\n", "0", "`callrounds pause` keeps a run from calling", "");
    assert_eq!(good(&format!("{REQUIRED}[safety]\ncanary = 0\n")).safety.canary, None);
    check("[list]\nkey = []\n", "[]", "`key` is empty", "");
    check(
        "[redial]\nafter = [\"busy\", \"opt_out\"]\n",
        "[\"busy\", \"opt_out\"]",
        "\"opt_out\", and such a",
        "leave it out",
    );
    let top = REQUIRED.replacen("name", "replace_default_outcomes = true\nname", 1);
    assert!(lines(&top)[0].contains("leaves every call unclassified"));
    check("[[outcomes]]\noutcome = \"booked\"\n", "[[outcomes]]", "never matches", "give it tags");
    check("[[outcomes]]\ntags = [\"x\"]\n", "[[outcomes]]", "`outcomes.outcome` is missing", "outcome = \"booked\"");
}

#[test]
fn a_campaigns_own_outcome_rules_come_first_or_alone() {
    let said = |tag: &str| OutcomeSignals { tags: vec![tag.into()], ..OutcomeSignals::default() };
    let own = "[[outcomes]]\noutcome = \"declined\"\ntags = [\"appointment-booked\"]\n";
    let rules = good(&format!("{REQUIRED}{own}")).outcomes;
    let taken_for = rules.classify(&said("appointment-booked"));
    assert_eq!((taken_for.outcome, taken_for.rule), (Outcome::Declined, Some(RuleName::numbered(1))));
    assert_eq!(rules.classify(&said("opt-out")).outcome, Outcome::OptOut);
    let alone = REQUIRED.replacen("name", "replace_default_outcomes = true\nname", 1);
    let rules = good(&format!("{alone}{own}")).outcomes;
    assert_eq!(rules.classify(&said("opt-out")).outcome, Outcome::Unclassified);
}

#[test]
fn the_default_rules_know_the_vendors_tags_and_guess_nothing() {
    let rules = good(REQUIRED).outcomes;
    let outcome = |tags: &[&str]| {
        let tags = tags.iter().map(ToString::to_string).collect();
        rules.classify(&OutcomeSignals { tags, ..OutcomeSignals::default() }).outcome
    };
    for (tag, expected) in [
        ("appointment-booked", Outcome::Booked),
        ("appointment-confirmed", Outcome::Confirmed),
        ("reschedule-requested", Outcome::RescheduleRequested),
        ("declined", Outcome::Declined),
        ("callback-requested", Outcome::CallbackRequested),
        ("left-voicemail", Outcome::LeftVoicemail),
        ("no-answer", Outcome::NoAnswer),
        ("busy", Outcome::Busy),
        ("wrong-number", Outcome::WrongNumber),
        ("opt-out", Outcome::OptOut),
        ("deceased-or-moved", Outcome::DeceasedOrMoved),
        ("invalid-number", Outcome::InvalidNumber),
        ("reached-other", Outcome::ReachedOther),
        ("something-new", Outcome::Unclassified),
    ] {
        assert_eq!(outcome(&[tag]), expected, "{tag}");
    }
    assert_eq!(outcome(&["appointment-booked", "opt-out"]), Outcome::OptOut);
    assert_eq!(outcome(&["appointment-booked", "wrong-number"]), Outcome::Unclassified);
    let summary = Some("The patient asked not to be called again.".to_owned());
    assert_eq!(rules.classify(&OutcomeSignals { summary, ..OutcomeSignals::default() }).outcome, Outcome::OptOut);
}

#[test]
fn problems_are_drawn_with_a_mark_under_the_place() {
    let problems = loaded(&format!("{REQUIRED}[redial]\nmax_attemps = 2\n")).expect_err("a bad key");
    insta::assert_snapshot!(problems.drawn(false), @"
     × there is no key `max_attemps` in [redial]
      ╭─[c.toml:8:1]
    7 │ [redial]
    8 │ max_attemps = 2
      · ───────────
      ╰────
     help: did you mean `max_attempts`?
    ");
}

/// The campaigns that come with the program, each with its text.
fn campaigns() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("campaigns");
    let files = std::fs::read_dir(folder).expect("campaigns/").map(|file| file.expect("a file").path());
    let mut found: Vec<_> = files
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .map(|path| (path.file_name().expect("a name").to_string_lossy().into_owned(), std::fs::read_to_string(path)))
        .map(|(name, text)| (name, text.expect("readable")))
        .collect();
    found.sort();
    found
}

/// What every row of the demonstrations has, or what a list can have at all.
fn patient() -> Value {
    context! {
        patient_id => "1001", first_name => "Mary Kate", preferred_name => "Mary Kate", last_name => "O'Brien",
        date_of_birth => "1988-03-22", due => "2026-10-01", last_visit => "2026-03-05", preference => "mornings",
        provider => "Dr. Lee", procedure => "a crown", procedure_date => "2026-11-23", household_names => "Ben",
        appointment => context! { start => "2026-11-25T14:30:00-06:00", end => "", description => "", id => "A-1" },
        practice => context! { name => "Bright Smile Dental", callback_number => "+13125550100" },
    }
}

#[test]
fn every_campaign_that_comes_with_the_program_loads_and_speaks() {
    let campaigns = campaigns();
    assert_eq!(campaigns.len(), 6);
    for (name, text) in campaigns {
        let campaign = good(&text);
        assert_eq!(campaign.calling.consent, Some(Consent::OnFile), "{name}");
        for template in [Some(&campaign.message.context), campaign.message.voicemail.as_ref()] {
            let text = template.expect("both are given").render(&patient()).unwrap_or_else(|p| panic!("{name}: {p}"));
            assert!(crate::template::chars(&text) < 400, "{name}: {text}");
        }
    }
}

#[test]
fn demonstrations_call_nobody_and_starting_points_are_real() {
    for (name, text) in campaigns() {
        let is_simulated = good(&text).vendor.kind == VendorKind::Simulator;
        assert_eq!(is_simulated, name.starts_with("demo-"), "{name}");
    }
}

#[test]
fn voicemails_say_who_called_and_nothing_about_health() {
    let clinical = ["cleaning", "crown", "treat", "due", "visit", "procedure", "extraction", "balance", "check-up"];
    for (name, text) in campaigns() {
        let voicemail = good(&text).message.voicemail.expect("a voicemail").render(&patient()).expect("renders");
        assert!(voicemail.contains("Bright Smile Dental"), "{name}");
        assert!(voicemail.contains("3 1 2, 5 5 5, 0 1 0 0"), "{name}");
        let said = voicemail.to_lowercase();
        assert!(clinical.iter().all(|word| !said.contains(word)), "{name}: {voicemail}");
    }
}

#[test]
fn the_default_contexts_speak() {
    for purpose in ["recall", "reminder", "follow_up"] {
        let campaign = good(&REQUIRED.replace("purpose = \"recall\"", &format!("purpose = \"{purpose}\"")));
        assert!(campaign.message.context.render(&patient()).expect("renders").starts_with("Mary Kate "), "{purpose}");
    }
}

#[test]
fn the_schema_knows_every_key_and_what_is_required() {
    let schema = schema().to_value();
    assert_eq!(schema["required"], serde_json::json!(["name", "purpose", "practice"]));
    assert_eq!(schema["properties"]["practice"]["required"], serde_json::json!(["name", "timezone", "from_number"]));
    assert_eq!(schema["properties"]["redial"]["properties"]["max_attempts"]["minimum"], 1);
    let mut tables = vec![&schema];
    while let Some(table) = tables.pop() {
        assert_eq!(table["additionalProperties"], false);
        for (key, property) in table["properties"].as_object().expect("keys") {
            assert!(property["description"].as_str().is_some_and(|text| text.ends_with('.')), "{key}");
            tables.extend([property, &property["items"]].into_iter().filter(|table| table["properties"].is_object()));
        }
    }
}

proptest::proptest! {
    #[test]
    fn no_text_is_too_strange_to_be_refused(text in "[\\x00-\\x7fé]{0,200}") {
        let _ = loaded(&text);
        let _ = loaded(&format!("{REQUIRED}{text}"));
        let _ = loaded(&format!("{REQUIRED}[message]\ncontext = '''{text}'''"));
        if let Err(problems) = loaded(&text) {
            let _ = problems.drawn(false);
        }
    }

    #[test]
    fn no_template_is_too_strange(parts in proptest::collection::vec("\\{\\{|\\}\\}|\\{%|%\\}|\\{#|[a-z|.()' é\\\\\"\n-]{0,6}|raw|endraw", 0..30)) {
        let source = parts.concat();
        if let Err(problems) = Template::compile("context", &source) {
            for problem in problems {
                proptest::prop_assert!(source.get(problem.span).is_some());
            }
        }
    }
}
