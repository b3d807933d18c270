//! What reads bytes that others made, fed with any. Nothing here may panic, whatever comes; what is read must add up. The
//! tests beside it feed a little, and the fuzz targets under `fuzz/` as much as one likes.

use std::fs;
use std::path::{Path, PathBuf};

use callrounds::annie::{meter, webhook, wire};
use callrounds::campaign::{self, Allowances, Campaign};
use callrounds::ids::ConversationId;
use callrounds::intake::{Intake, ListProblem, ListSource, Setting};
use callrounds::phone::E164;
use callrounds::template::Template;
use chrono::{DateTime, Utc};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

const CAMPAIGN: &str = r#"
name = "recall"
purpose = "recall"
[practice]
name = "Bright Smile Dental"
timezone = "America/Chicago"
from_number = "+13125550142"
[message]
context = "{{ first_name }} is due for a cleaning; last visit {{ last_visit | default('a while ago') }}."
[calling]
consent = "on_file"
[vendor]
kind = "simulator"
"#;

fn now() -> DateTime<Utc> {
    "2026-11-24T15:30:00Z".parse().expect("an instant")
}

fn loaded(text: &str) -> Result<Campaign, campaign::Problems> {
    campaign::load(text, "campaign.toml", PathBuf::from("."), Allowances::default())
}

/// A list in a file of that kind: every row that is read is accounted for. How many rows that is.
pub fn list(kind: &str, bytes: &[u8]) -> Result<u64, ListProblem> {
    let memory = Path::new("/dev/shm");
    let place = if memory.is_dir() { memory.to_path_buf() } else { std::env::temp_dir() };
    let folder = tempfile::tempdir_in(place).expect("a folder");
    let file = folder.path().join("list").with_extension(kind);
    fs::write(&file, bytes).expect("a file");
    let campaign = loaded(CAMPAIGN).unwrap_or_else(|problems| panic!("{}", problems.drawn(false)));
    let setting = Setting { now: now(), fiction_allowed: true, check_age: false };
    let intake = Intake::open(&ListSource::File(file), &campaign, setting)?;
    let tally = intake.examine()?.tally;
    assert_eq!(tally.read, tally.accepted + tally.rejected + tally.duplicate + tally.merged, "{tally:?}");
    assert_eq!(tally.read, intake.rows(), "{tally:?}");
    Ok(tally.read)
}

/// A campaign's file; what is wrong with it can be shown. Whether it is sound.
pub fn campaign(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    loaded(&text).map_err(|problems| problems.drawn(false)).is_ok()
}

/// A template, compiled and rendered; problems point into it. Whether it says something.
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

/// The body of an answer of the vendor's, read as each kind of answer in turn. How many of them it is.
pub fn answer(body: &[u8]) -> usize {
    let id = ConversationId::new("c-1");
    let from = E164::parse("+13125550142").expect("a number");
    let _ = wire::said(body);
    [
        wire::placed(body).is_ok(),
        wire::page(body).is_ok(),
        wire::conversation(body, &id).is_ok(),
        wire::may_call_from(body, from).is_ok(),
        wire::token(body).is_ok(),
    ]
    .into_iter()
    .filter(|is| *is)
    .count()
}

/// The body of a webhook's delivery. How many conversations it may name.
pub fn delivery(body: &[u8]) -> usize {
    webhook::body::named(body).len()
}

/// The headers of an answer, a line each, as far as they are headers at all. Whether they say anything.
pub fn headers(bytes: &[u8]) -> bool {
    let mut headers = HeaderMap::new();
    for line in bytes.split(|byte| *byte == b'\n') {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let (name, value) = (HeaderName::from_bytes(&line[..colon]), HeaderValue::from_bytes(&line[colon + 1..]));
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.append(name, value);
        }
    }
    let (meter, date) = meter::read(429, &headers, now());
    meter.remaining.is_some() || meter.reset.is_some() || meter.retry_at.is_some() || date.is_some()
}
