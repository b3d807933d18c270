//! Feeds arbitrary bytes to the readers of untrusted input: lists (CSV, JSON), campaigns, templates, and the vendor's
//! responses, headers and deliveries. No reader may panic, and the counts of a list must add up. The property tests in
//! `engine/bytes.rs` and the fuzz targets under `fuzz/` use it.

use std::fs;
use std::path::{Path, PathBuf};

use callrounds::campaign::{self, Campaign, SafetyOverrides};
use callrounds::ids::ConversationId;
use callrounds::intake::{Intake, IntakeContext, ListError, ListSource};
use callrounds::phone::E164;
use callrounds::template::Template;
use callrounds::vendor::annie::{rate_headers, webhook, wire};
use chrono::{DateTime, Utc};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

const CAMPAIGN: &str = concat!(
    include_str!("../../fixtures/campaign.toml"),
    r#"[message]
context = "{{ first_name }} is due for a cleaning; last visit {{ last_visit | default('a while ago') }}."
[calling]
consent = "on_file"
[vendor]
kind = "simulator"
"#
);

fn now() -> DateTime<Utc> {
    "2026-11-24T15:30:00Z".parse().expect("an instant")
}

fn loaded(text: &str) -> Result<Campaign, campaign::Diagnostics> {
    campaign::load(text, "campaign.toml", PathBuf::from("."), SafetyOverrides::default())
}

/// Reads a list file with the extension `kind`, checks that its counts add up, and returns the number of rows.
pub fn list(kind: &str, bytes: &[u8]) -> Result<u64, ListError> {
    let memory = Path::new("/dev/shm");
    let parent = if memory.is_dir() { memory.to_path_buf() } else { std::env::temp_dir() };
    let folder = tempfile::tempdir_in(parent).expect("a folder");
    let file = folder.path().join("list").with_extension(kind);
    fs::write(&file, bytes).expect("a file");
    let campaign = loaded(CAMPAIGN).unwrap_or_else(|problems| panic!("{}", problems.drawn(false)));
    let setting = IntakeContext { now: now(), opens: now(), fiction_allowed: true, check_age: false };
    let intake = Intake::open(&ListSource::File(file), &campaign, setting)?;
    let tally = intake.examine()?.counts;
    assert_eq!(tally.read, tally.accepted + tally.rejected + tally.duplicate + tally.merged, "{tally:?}");
    assert_eq!(tally.read, intake.rows(), "{tally:?}");
    Ok(tally.read)
}

/// Loads a campaign file and renders its diagnostics, if any. Returns whether it is valid.
pub fn campaign(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    loaded(&text).map_err(|problems| problems.drawn(false)).is_ok()
}

/// Compiles and renders a template, and checks that its problems point into the text. Returns whether it renders.
pub fn template(bytes: &[u8]) -> bool {
    let source = String::from_utf8_lossy(bytes);
    match Template::compile("context", &source) {
        Ok(template) => {
            template.render(&minijinja::context! { first_name => "Ana", last_visit => "2026-05-24" }).is_ok()
        }
        Err(problems) => {
            assert!(problems.iter().all(|problem| source.get(problem.span.clone()).is_some()), "a span of the text");
            false
        }
    }
}

/// Reads the body of a vendor's response as each kind of response in turn. Returns how many kinds accept it.
pub fn answer(body: &[u8]) -> usize {
    let id = ConversationId::new("c-1");
    let from = E164::parse("+13125550142").expect("a number");
    let _ = wire::parse_error_body(body);
    [
        wire::placed_conversation(body).is_ok(),
        wire::page(body).is_ok(),
        wire::conversation(body, &id).is_ok(),
        wire::may_call_from(body, from).is_ok(),
        wire::token(body).is_ok(),
    ]
    .into_iter()
    .filter(|is| *is)
    .count()
}

/// Reads the body of a webhook delivery. Returns how many conversations it may name.
pub fn delivery(body: &[u8]) -> usize {
    webhook::body::candidate_ids(body).len()
}

/// Reads a response's headers, one a line; lines that are no headers are skipped. Returns whether any has a meaning.
pub fn headers(bytes: &[u8]) -> bool {
    let mut headers = HeaderMap::new();
    for line in bytes.split(|byte| *byte == b'\n') {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let (name, value) = (HeaderName::from_bytes(&line[..colon]), HeaderValue::from_bytes(&line[colon + 1..]));
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.append(name, value);
        }
    }
    let (meter, date) = rate_headers::read(429, &headers, now());
    meter.remaining.is_some() || meter.reset.is_some() || meter.retry_at.is_some() || date.is_some()
}
